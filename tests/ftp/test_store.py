"""STOR: what 226 means, and what does not get one."""

import hashlib
import io

from sqlalchemy import select

from portal import db, states, storage
from portal.models import Upload


def rows() -> list[Upload]:
    with db.reading():
        return list(db.session.scalars(select(Upload).order_by(Upload.id)))


def test_store_answers_with_upload_size_and_digest(client):
    reply = client.storbinary("STOR /OMIX/run1/a.gz", io.BytesIO(b"reads"))
    [row] = rows()
    assert reply == f"226 Transfer complete. Upload {row.id}, 5 bytes, MD5 {hashlib.md5(b'reads').hexdigest()}."
    assert (row.state, row.name, row.realm, row.via) == (states.RECEIVED, "run1/a.gz", "open", "ftp")
    assert storage.area_path("open", row.account_id, row.token).read_bytes() == b"reads"


def test_store_of_large_file_is_whole(client):
    content = hashlib.sha256(b"seed").digest() * (9 << 15)
    client.storbinary("STOR /OMIX-protected/big.bin", io.BytesIO(content))
    [row] = rows()
    assert (row.size, row.md5, row.realm) == (len(content), hashlib.md5(content).hexdigest(), "protected")
    assert row.sha256 == hashlib.sha256(content).hexdigest()


def test_store_of_empty_file_is_accepted(client):
    assert client.storbinary("STOR /test/empty.txt", io.BytesIO(b"")).startswith("226")
    [row] = rows()
    assert (row.size, row.area, row.state) == (0, "test", states.RECEIVED)
