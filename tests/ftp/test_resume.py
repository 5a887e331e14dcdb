"""REST, APPE and sessions that came back."""

import ftplib
import io

import pytest

from portal import clock, states, storage
from tests.ftp.support import refusal, rows
from tests.ftp.test_store import send_part
from tests.waiting import until

CONTENT = bytes(range(256)) * 2000


def cut_upload(door, person) -> None:
    """An upload whose session died after 300,000 bytes."""
    client = door.plain(person)
    sock = send_part(client, "/OMIX/run.bin", CONTENT[:300_000])
    until(lambda: [row for row in rows() if row.bytes_done >= 300_000])
    client.close()
    until(lambda: [row for row in rows() if row.state == states.INCOMPLETE])
    sock.close()


def bytes_on_disk() -> bytes:
    [row] = [row for row in rows() if row.state == states.RECEIVED]
    return storage.area_path(row.realm, row.account_id, row.token).read_bytes()


def test_cut_upload_shows_its_true_length_and_is_resumed_there(door, ines):
    cut_upload(door, ines)
    client = door.plain(ines)
    client.voidcmd("TYPE I")
    assert client.size("/OMIX/run.bin") == 300_000
    assert dict(client.mlsd("/OMIX"))["run.bin"]["size"] == "300000"
    reply = client.storbinary("STOR /OMIX/run.bin", io.BytesIO(CONTENT[300_000:]), rest=300_000)
    assert reply.startswith("226") and "its MD5 is being computed" in reply
    assert bytes_on_disk() == CONTENT


def test_append_goes_on_at_the_end(door, ines):
    cut_upload(door, ines)
    client = door.plain(ines)
    assert client.storbinary("APPE /OMIX/run.bin", io.BytesIO(CONTENT[300_000:])).startswith("226")
    assert bytes_on_disk() == CONTENT


def test_append_to_nothing_is_a_new_upload(client):
    client.storbinary("APPE /OMIX/new.bin", io.BytesIO(b"all"))
    assert bytes_on_disk() == b"all"


def test_wrong_offset_is_554(client):
    client.storbinary("STOR /OMIX/short.bin", io.BytesIO(b"12345"))
    client.voidcmd("TYPE I")
    for path, offset in (("short.bin", 6), ("never.bin", 5)):
        assert client.sendcmd(f"REST {offset}").startswith("350")
        assert refusal(client, f"STOR /OMIX/{path}").startswith("554")
    assert refusal(client, "REST -1").startswith("501")


def test_ghost_session_is_taken_over_after_its_silence(door, ines):
    ghost = door.plain(ines)
    sock = send_part(ghost, "/OMIX/run.bin", CONTENT[:300_000])
    until(lambda: [row for row in rows() if row.bytes_done >= 300_000])
    client = door.plain(ines)
    client.voidcmd("TYPE I")
    until(lambda: client.size("/OMIX/run.bin") == 300_000)
    client.sendcmd("REST 300000")
    assert refusal(client, "STOR /OMIX/run.bin").startswith("450")
    clock.shift(16_000)
    client.storbinary("STOR /OMIX/run.bin", io.BytesIO(CONTENT[300_000:]), rest=300_000)
    with pytest.raises(ftplib.Error, match=r"^426"):
        ghost.getresp()
    sock.close()
    assert bytes_on_disk() == CONTENT


def test_cut_resend_leaves_the_whole_upload_in_place(door, ines, client):
    client.storbinary("STOR /OMIX/run.bin", io.BytesIO(b"whole"))
    sock = send_part(client, "/OMIX/run.bin", b"x" * 300_000)
    until(lambda: [row for row in rows() if row.bytes_done >= 300_000])
    client.putcmd("ABOR")
    until(lambda: [row for row in rows() if row.state == states.INCOMPLETE])
    sock.close()
    assert bytes_on_disk() == b"whole"
