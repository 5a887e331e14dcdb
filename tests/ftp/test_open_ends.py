"""Whatever ends a session or a transfer: no upload stays open behind it, and nobody waits for an answer in vain."""

import ftplib
import io
import socket
import threading

import pytest

from portal import errors, ingest
from portal.ingest.group_commit import group_commit
from portal.ingest.heartbeat import heartbeat
from tests.conftest import Person
from tests.ftp.conftest import Door
from tests.ftp.support import Raw, reset, rows
from tests.waiting import until


def signed_in(door: Door, person: Person) -> Raw:
    raw = door.raw()
    raw.ask(f"USER {person.email}".encode())
    assert raw.ask(f"PASS {person.password}".encode()).startswith("230")
    raw.ask(b"TYPE I")
    return raw


def data_address(raw: Raw) -> tuple[str, int]:
    numbers = raw.ask(b"PASV").partition("(")[2].partition(")")[0].split(",")
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def test_control_connection_reset_with_the_command_leaves_no_upload_open(door, ines):
    for turn in range(15):
        raw = signed_in(door, ines)
        with socket.create_connection(data_address(raw), timeout=5) as data:
            raw.send(f"STOR /OMIX/gone-{turn}.bin\r\n".encode())
            raw.lines.close()
            reset(raw.sock)
            data.sendall(b"x" * 1000)
    until(lambda: not heartbeat.sessions())
    assert [row for row in rows() if row.state == "received"] == []


def test_second_transfer_waits_for_the_first(client):
    client.voidcmd("TYPE I")
    sock = client.transfercmd("STOR /OMIX/first.bin")
    sock.sendall(b"first")
    for command in ("STOR /OMIX/second.bin", "RETR /OMIX/second.bin", "NLST /OMIX"):
        with pytest.raises(ftplib.error_temp, match=r"^450 Another transfer"):
            client.sendcmd(command)
    sock.close()
    assert client.voidresp().startswith("226")
    assert [(row.name, row.size) for row in rows()] == [("first.bin", 5)]
    assert client.storbinary("STOR /OMIX/second.bin", io.BytesIO(b"second")).startswith("226")


def test_data_connection_broken_before_it_was_used_is_answered(door, ines):
    raw = signed_in(door, ines)
    for turn in range(10):
        address = data_address(raw)
        assert raw.ask(f"STOR /OMIX/{turn}.bin".encode()).startswith("150")
        reset(socket.create_connection(address, timeout=5))
        assert raw.answer()[:3] in ("425", "426")
        assert until(lambda: not heartbeat.sessions())


def test_upload_whose_data_connection_never_comes_ends_with_its_session(door, ines):
    raw = signed_in(door, ines)
    data_address(raw)
    assert raw.ask(b"STOR /OMIX/never.bin").startswith("150")
    assert len(heartbeat.sessions()) == 1
    raw.sock.shutdown(socket.SHUT_RDWR)
    assert until(lambda: not heartbeat.sessions())


def test_client_that_reads_no_reply_is_let_go(door, ines, monkeypatch):
    monkeypatch.setattr("ftp.handler.LAST_WORD", 0.1)
    raw = signed_in(door, ines)
    own = f"ftp-127.0.0.1:{raw.sock.getsockname()[1]}"
    raw.send(b"FEAT\r\n" * 20_000 + b"QUIT\r\n")
    until(lambda: own not in [thread.name for thread in threading.enumerate()], 20)


def test_recorder_that_stopped_answers_at_once(database):
    ingest.start("test")
    assert group_commit.record(lambda: "done") == "done"
    ingest.stop()
    with pytest.raises(errors.Busy):
        group_commit.record(lambda: "never")
