"""What the bytes tell of a mismatch."""

import gzip
import hashlib
import os

import pytest

from portal import db
from portal.domain.files import diagnosis
from tests.reports import staged


def md5(data):
    return hashlib.md5(data).hexdigest()


@pytest.mark.parametrize("lines", [b"a\r\nb\r\n", b"a\nb\n", b"\r\n" * 900_000, b"x" * ((1 << 20) - 1) + b"\r\nend\r"])
def test_converted_line_ends_are_found(tmp_path, lines):
    path = tmp_path / "t"
    path.write_bytes(lines)
    unix = lines.replace(b"\r\n", b"\n")
    original = unix if unix != lines else unix.replace(b"\n", b"\r\n")

    assert diagnosis.deep(path, md5(original), "t.txt").code == "sent_in_ascii_mode"


def test_cut_off_gzip_is_found(tmp_path):
    path = tmp_path / "t"
    whole = gzip.compress(os.urandom(300_000)) + gzip.compress(b"second member")
    path.write_bytes(whole[:-9])

    assert diagnosis.deep(path, md5(whole), "t.gz").code == "stream_cut_off"


def test_nothing_is_guessed_of_whole_other_bytes(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(gzip.compress(b"other"))

    assert diagnosis.deep(path, "0" * 32, "t.gz") is None


@pytest.mark.parametrize(
    ("other", "is_named"),
    [
        ({}, True),
        ({"md5": "c" * 32}, False),
        ({"area": "test"}, False),
        ({"realm": "protected"}, False),
        ({"name": "x/a.txt"}, False),
    ],
)
def test_same_bytes_sent_before_under_the_same_name_are_named(database, other, is_named):
    with db.transaction():
        earlier = staged.upload(**{"name": "a.txt", "token": "earlier", "state": "obsolete"} | other)
        upload = staged.upload("a.txt")
        file = staged.file(staged.dataset(1, "draft"), upload, "received", declared_md5="d" * 32)
        finding = diagnosis.quick(file, "md5_mismatch")
    assert ((finding.code, finding.values) == ("earlier_version_sent", {"upload": earlier.id})) == is_named
