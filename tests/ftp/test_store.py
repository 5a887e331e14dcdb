"""STOR: what 226 means, and what does not get one."""

import contextlib
import ftplib
import hashlib
import io
import socket
import threading

import pytest
from sqlalchemy import select, update

from ftp import data
from portal import db, states, storage
from portal.config import Settings
from portal.domain.accounts import accounts
from portal.ingest.group_commit import GroupCommit
from portal.ingest.heartbeat import heartbeat
from portal.models import Center, Dataset, File, Upload
from tests.ftp.support import faults, get, refusal, reset, rows
from tests.state_guard import states_unguarded
from tests.waiting import until


def send_part(client: ftplib.FTP, path: str, data: bytes) -> socket.socket:
    """A data connection over which part of a file went."""
    client.voidcmd("TYPE I")
    sock = client.transfercmd(f"STOR {path}")
    try:
        sock.sendall(data)
    except OSError:
        sock.close()
        raise
    return sock


def stored(client: ftplib.FTP, path: str, size: int) -> str:
    """The reply to an upload, also where the server closed the data connection under it."""
    with contextlib.suppress(OSError), send_part(client, path, b"x" * size):
        pass
    try:
        return client.getresp()
    except ftplib.Error as error:
        return str(error)


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


def test_store_is_acknowledged_only_after_the_commit(client, monkeypatch):
    """Nothing is said while the record is not committed."""
    gate, original = threading.Event(), GroupCommit._commit

    def slow(recorder, group):
        gate.wait(10)
        original(recorder, group)

    monkeypatch.setattr(GroupCommit, "_commit", slow)
    send_part(client, "/OMIX/a.bin", b"x" * 100).close()
    client.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        client.sock.recv(1, socket.MSG_PEEK)
    assert rows() == []
    client.sock.settimeout(10)
    gate.set()
    assert client.getresp().startswith("226")
    assert rows()[0].state == states.RECEIVED


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_store_that_is_reset_is_incomplete(client, ines, size):
    reset(send_part(client, "/OMIX/cut.bin", b"x" * size))
    with pytest.raises(ftplib.error_temp, match=r"^426"):
        client.getresp()
    assert [row.state for row in rows()] in ([states.INCOMPLETE], [])
    assert [(kind, who) for kind, who, _ in faults()] == [("data_cut", ines.id)]


def test_store_ended_by_fin_before_the_announced_size_is_incomplete(client):
    assert client.sendcmd("ALLO 2000").startswith("200")
    send_part(client, "/OMIX/short.bin", b"x" * 1500).close()
    with pytest.raises(ftplib.error_temp, match=r"^426 Only 1,500 of 2,000 bytes"):
        client.getresp()
    [row] = rows()
    assert (row.state, row.size) == (states.INCOMPLETE, 1500)


def test_store_cut_by_a_lost_control_connection_is_incomplete(client):
    sock = send_part(client, "/OMIX/lost.bin", b"x" * 300_000)
    until(lambda: [row for row in rows() if row.bytes_done >= 300_000])
    client.sock.shutdown(socket.SHUT_RDWR)
    until(lambda: [row for row in rows() if row.state == states.INCOMPLETE])
    sock.close()
    assert rows()[0].size == 300_000


def test_abort_is_heard_while_data_flows(client):
    sock = send_part(client, "/OMIX/abort.bin", b"x" * 300_000)
    until(lambda: [row for row in rows() if row.bytes_done >= 300_000])
    client.putcmd("ABOR")
    assert client.getmultiline().startswith("426")
    assert client.getmultiline().startswith("226")
    sock.close()
    assert [row.state for row in rows()] == [states.INCOMPLETE]


def test_two_writers_of_one_name_never_share_bytes(door, ines):
    one, other = door.plain(ines), door.plain(ines)
    first, second = send_part(one, "/OMIX/same.bin", b"A" * 30_000), send_part(other, "/OMIX/same.bin", b"B" * 50_000)
    first.sendall(b"A" * 20_000)
    second.close()
    assert other.getresp().startswith("226")
    first.close()
    assert one.getresp().startswith("226")
    [live] = [row for row in rows() if row.state == states.RECEIVED]
    assert live.md5 == hashlib.md5(b"A" * 50_000).hexdigest()
    assert [row.replaced_by for row in rows() if row.state == states.OBSOLETE] == [live.id]


def test_ascii_store_is_refused_before_any_byte(client, ines):
    client.voidcmd("TYPE A")
    assert refusal(client, "STOR /OMIX/a.fastq").startswith("504 ASCII mode would change bytes.")
    assert faults() == [("ascii_upload", ines.id, "a.fastq")]
    assert rows() == []


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("a b.gz", "a_b.gz"),
        ("=cmd.txt", "cmd.txt"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("naïve.txt", "naive.txt"),
        ("a;b`id`", "a_b_id"),
        ("tab\there", "tab_here"),
        ("bidi\u202etxt.exe", "bidi_txt.exe"),
    ],
)
def test_unsafe_names_are_refused_with_a_better_one(client, name, better):
    for command in (f"STOR /OMIX/{name}", f"MKD /OMIX/{name}"):
        client.voidcmd("TYPE I")
        reply = refusal(client, command)
        assert reply.startswith("553") and f"Call it {better} instead." in reply
        assert reply.endswith("/help/names")
    assert rows() == []


def test_undecodable_and_nul_names_do_not_end_the_session(door, ines):
    client = door.plain(ines)
    client.voidcmd("TYPE I")
    for name in (b"bad\xff\xfe.gz", b"nul\0name", b"esc\x1b[31m", b"lf\nname"):
        client.sock.sendall(b"STOR /OMIX/" + name + b"\r\n")
        with pytest.raises(ftplib.error_perm, match=r"^553"):
            client.getresp()
    assert client.sendcmd("NOOP").startswith("200")


def test_names_of_datasets_are_reserved(client):
    client.voidcmd("TYPE I")
    for path in ("STOR /OMIX/OMIX000001/a.txt", "MKD /OMIX/OMIX000002", "STOR /incoming/OMIX/a.txt"):
        assert refusal(client, path).startswith("55")
    assert rows() == []


def test_file_is_not_stored_where_a_folder_is_nor_in_a_file(client):
    client.storbinary("STOR /OMIX/crlf9", io.BytesIO(b"a"))
    client.storbinary("STOR /OMIX/run1/b", io.BytesIO(b"b"))
    client.mkd("/OMIX/empty")
    client.voidcmd("TYPE I")
    assert refusal(client, "STOR /OMIX/crlf9/x").startswith("550 crlf9 is a file")
    assert refusal(client, "STOR /OMIX/run1").startswith("550 run1 is a folder")
    assert refusal(client, "STOR /OMIX/empty").startswith("550 empty is a folder")
    assert refusal(client, "MKD /OMIX/crlf9/y").startswith("550")
    assert sorted(name for name, _ in client.mlsd("/OMIX")) == ["crlf9", "empty", "run1"]


def test_stou_is_refused(client):
    assert refusal(client, "STOU").startswith("502")


def test_store_where_nothing_can_be_stored_says_where_files_go(client):
    client.voidcmd("TYPE I")
    assert "Files go into /OMIX/, /OMIX-protected/, /datasets/<id>/ or /test/." in refusal(client, "STOR /a.txt")
    assert refusal(client, "STOR /outgoing/Files/a.txt").startswith("550")


def test_passive_port_without_data_connection_records_nothing(client):
    client.voidcmd("TYPE I")
    client.sendcmd("PASV")
    assert client.sendcmd("STOR /OMIX/never.bin").startswith("150")
    assert heartbeat.sessions()
    client.sendcmd("ABOR")
    client.sendcmd("NOOP")
    assert (rows(), heartbeat.sessions()) == ([], [])


def test_data_connection_of_a_refused_command_is_closed_without_a_word(client, monkeypatch):
    client.voidcmd("TYPE I")
    host, port = client.makepasv()
    with socket.create_connection((host, port), timeout=20) as idle:
        assert refusal(client, "STOR /OMIX/a b").startswith("553")
        monkeypatch.setattr(data, "SILENCE", 0.1)
        assert idle.recv(1) == b""
    assert client.sendcmd("NOOP").startswith("200")
    assert client.storbinary("STOR /OMIX/a.txt", io.BytesIO(b"a")).startswith("226")


def test_silent_upload_is_cut_and_kept(client, ines, monkeypatch):
    monkeypatch.setattr(data, "SILENCE", 0.1)
    sock = send_part(client, "/OMIX/silent.bin", b"x" * 300_000)
    with sock, pytest.raises(ftplib.error_temp, match=r"^426 No data came"):
        client.getresp()
    assert [(row.state, row.size) for row in rows()] == [(states.INCOMPLETE, 300_000)]
    assert [kind for kind, _, _ in faults()] == ["data_silent"]


def test_what_a_dataset_took_is_read_only_and_its_name_free(client, ines):
    client.storbinary("STOR /OMIX/frozen.txt", io.BytesIO(b"kept"))
    with states_unguarded():
        account = ines.account
        dataset = Dataset(
            account_id=account.id,
            center_id=account.center_id,
            accession="OMIX000007",
            state="submitted",
            created_at=0,
            updated_at=0,
        )
        db.session.add(dataset)
        db.session.flush()
        [row] = db.session.scalars(select(Upload))
        db.session.add(
            File(
                dataset_id=dataset.id,
                n=1,
                name="frozen.txt",
                base="frozen.txt",
                state="checking",
                upload_id=row.id,
                created_at=0,
                updated_at=0,
            )
        )
        row.state, row.dataset_id, row.taken_at = states.CHECKING, dataset.id, 1
    client.voidcmd("TYPE I")
    for command in ("DELE /OMIX/frozen.txt", "APPE /OMIX/frozen.txt"):
        assert refusal(client, command).startswith("550 frozen.txt belongs to OMIX000007 now")
    client.sendcmd("RNFR /OMIX/frozen.txt")
    assert refusal(client, "RNTO /OMIX/other.txt").startswith("550")
    assert get(client, "/OMIX/frozen.txt") == b"kept"
    assert client.storbinary("STOR /OMIX/frozen.txt", io.BytesIO(b"kept")).startswith(
        "226 Transfer complete. Upload 1,"
    )
    assert client.storbinary("STOR /OMIX/frozen.txt", io.BytesIO(b"new")).startswith("226")
    assert get(client, "/OMIX/frozen.txt") == b"new" and client.nlst("/OMIX") == ["frozen.txt"]
    client.delete("/OMIX/frozen.txt")
    assert get(client, "/OMIX/frozen.txt") == b"kept"


def test_quota_reached_in_the_middle_is_552(client, ines):
    with db.transaction():
        db.session.execute(update(Center).values(quota_open=1_000_000))
    assert stored(client, "/OMIX/much.bin", 4_000_000).startswith("552 Your quota")
    assert [row.state for row in rows() if row.state in states.LISTED] == []
    assert client.sendcmd("NOOP").startswith("200")


@pytest.mark.parametrize("act", ["enospc", "eio"])
@pytest.mark.parametrize("place", ["receive.write", "receive.written", "receive.synced"])
@pytest.mark.parametrize("size", [5_000, 3_000_000])
def test_failing_disk_is_answered_and_never_hangs(client, monkeypatch, act, place, size):
    from portal import faults as points

    monkeypatch.setitem(points._armed, place, points.Armed(1, act))
    assert stored(client, "/OMIX/disk.bin", size).startswith("452" if act == "enospc" else "451")
    assert [row.state for row in rows() if row.state != states.INCOMPLETE] == []
    assert client.storbinary("STOR /OMIX/disk2.bin", io.BytesIO(b"x" * size)).startswith("226")


def test_closed_account_cannot_store(client, ines):
    with db.transaction():
        accounts.close(ines.account, actor=None)
    client.voidcmd("TYPE I")
    until(lambda: refused(client))


def refused(client: ftplib.FTP) -> bool:
    try:
        client.storbinary("STOR /OMIX/late.bin", io.BytesIO(b"late"))
    except (ftplib.Error, OSError, EOFError):
        return True
    return False


def test_many_small_files_on_one_connection(client, settings: Settings):
    for n in range(200):
        client.storbinary(f"STOR /OMIX/small/{n}.txt", io.BytesIO(str(n).encode()))
    assert len(rows()) == 200
    assert all(row.state == states.RECEIVED for row in rows())
