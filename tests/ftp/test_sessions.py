"""Who comes in, how long a session lives, and what it may not do."""

import ftplib
import io
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from ftp import handler
from portal import config, db, states
from portal.config import Settings
from portal.domain.accounts import accounts, rate_limit
from tests.ftp.support import faults, refusal, rows
from tests.ftp.test_store import send_part
from tests.waiting import until


def test_wrong_password_is_told_with_the_attempts_left(door, ines):
    client = door.plain()
    with pytest.raises(ftplib.error_perm, match=r"^530 E-mail and password do not fit together"):
        client.login(ines.email, "wrong")
    client.login(ines.email, ines.password)
    assert client.pwd() == "/"


def test_ftp_password_opens_the_door(door, ines):
    with db.transaction():
        password = accounts.make_ftp_password(ines.account)
    assert door.plain(ines, password).pwd() == "/"


def test_guesses_are_throttled_across_connections(door, ines):
    """Forty guesses side by side do not get forty tries."""
    replies: list[str] = []

    def guess(n: int) -> None:
        client = door.plain()
        replies.append(refusal_of_login(client, ines.email, f"guess {n}"))

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tried = len([reply for reply in replies if reply.startswith("530")])
    assert rate_limit.USER <= tried <= rate_limit.USER + 4  # a few are weighed side by side
    assert len([reply for reply in replies if reply.startswith("421")]) == 40 - tried
    assert refusal_of_login(door.plain(), ines.email, ines.password).startswith("421")


def refusal_of_login(client: ftplib.FTP, user: str, password: str) -> str:
    try:
        return client.login(user, password)
    except (ftplib.Error, EOFError) as error:
        return str(error)


def test_third_wrong_password_ends_the_session(door, ines):
    client = door.plain()
    for _ in range(3):
        reply = refusal_of_login(client, ines.email, "wrong")
    assert reply.endswith("Disconnecting.")
    with pytest.raises((EOFError, OSError)):
        client.sendcmd("NOOP")


def test_nothing_is_open_before_sign_in(door):
    raw = door.raw()
    for command in (b"LIST", b"STOR a", b"CWD /", b"SIZE a", b"HASH a", b"MKD a", b"PASV"):
        assert raw.ask(command).startswith("530")


def test_unknown_lines_end_a_session(door):
    raw = door.raw()
    replies = [raw.ask(b"WHAT now") for _ in range(handler.STRANGE_BEFORE)]
    assert [reply[:3] for reply in replies] == ["500"] * (handler.STRANGE_BEFORE - 1) + ["421"]
    assert raw.answer() == ""


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"Host: example.org"])
def test_http_is_hung_up_on(door, line):
    raw = door.raw()
    assert raw.ask(line + b"\r\nUSER injected").startswith("421")
    assert raw.answer() == ""


def test_tls_without_auth_is_explained(door):
    raw = door.raw()
    raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert "explicit FTPS" in raw.answer()
    assert [kind for kind, _, _ in faults()] == ["implicit_tls"]


def test_endless_line_is_bounded(door):
    raw = door.raw()
    for _ in range(handler.STRANGE_BEFORE):
        try:
            raw.send(b"A" * 3000)
            reply = raw.answer()
        except OSError:
            break
        assert reply[:3] in ("500", "421", "")


def test_silence_before_sign_in_ends_the_session(start, monkeypatch):
    monkeypatch.setattr(handler, "SIGN_IN_TIME", 0.5)
    assert start().raw().answer().startswith("421 Nobody signed in")


def test_crash_in_one_session_leaves_the_others(door, ines, monkeypatch):
    other = door.plain(ines)
    monkeypatch.setattr(handler.Session, "ftp_SYST", lambda self, line: 1 / 0)
    assert refusal(door.plain(ines), "SYST").startswith("451")
    assert other.sendcmd("NOOP").startswith("200")


def test_session_ends_when_the_account_is_closed(door, ines):
    client = door.plain(ines)
    with db.transaction():
        accounts.close(ines.account, actor=None)
    assert until(lambda: is_gone(client), 12)


def test_running_upload_ends_when_the_account_is_signed_out(door, ines):
    client = door.plain(ines)
    sock = send_part(client, "/OMIX/run.bin", b"x" * 300_000)
    with db.transaction():
        accounts.end_sessions(ines.account, actor=None)
    with pytest.raises((ftplib.Error, EOFError)):
        client.getresp()
    sock.close()
    assert [row.state for row in rows() if row.state == states.RECEIVED] == []


def is_gone(client: ftplib.FTP) -> bool:
    try:
        client.sendcmd("NOOP")
    except (ftplib.Error, EOFError, OSError):
        return True
    return False


def test_connections_beyond_the_limit_are_told(start, settings: Settings):
    settings.ftp_max_per_address = 3
    door = start()
    held = [door.raw() for _ in range(3)]
    with socket.create_connection((door.host, door.port), timeout=10) as fourth:
        assert fourth.recv(100).startswith(b"421")
    assert held[0].ask(b"NOOP").startswith("200")


def test_port_to_others_and_to_low_ports_is_refused(client, ines):
    assert refusal(client, "PORT 10,0,0,4,200,10").startswith("501 10.0.0.4 is not your address")
    assert refusal(client, "PORT 127,0,0,1,0,80").startswith("501")
    assert faults() == [("foreign_address", ines.id, "10.0.0.4:51210")]


def test_active_connection_that_cannot_be_opened_is_noted(client, ines):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    reply = refusal(client, f"PORT 127,0,0,1,{port >> 8},{port & 255}")
    assert reply.startswith("425") and "passive mode" in reply
    assert faults() == [("active_unreachable", ines.id, f"127.0.0.1:{port}")]


def test_active_mode_stores(client):
    client.set_pasv(False)
    assert client.storbinary("STOR /OMIX/active.txt", io.BytesIO(b"active")).startswith("226")


def test_faults_of_one_kind_are_kept_once_a_minute(client):
    for _ in range(3):
        refusal(client, "PORT 10,0,0,4,200,10")
    assert len(faults()) == 1


def test_stopping_server_ends_idle_sessions_and_keeps_cut_bytes(start, ines):
    door = start(grace=3.0)
    idle, busy = door.plain(ines), door.plain(ines)
    sock = send_part(busy, "/OMIX/run.bin", b"x" * 300_000)
    until(lambda: [row for row in rows() if row.bytes_done >= 300_000])
    door.stop.set()
    with pytest.raises(ftplib.error_temp, match=r"^421"):
        idle.getresp()
    with pytest.raises(ftplib.error_temp, match=r"^426"):
        busy.getresp()
    sock.close()
    assert [(row.state, row.size) for row in rows()] == [(states.INCOMPLETE, 300_000)]


def test_stopping_server_lets_a_transfer_end(start, ines):
    door = start(grace=15.0)
    idle, busy = door.plain(ines), door.plain(ines)
    sock = send_part(busy, "/OMIX/run.bin", b"x" * 300_000)
    door.stop.set()
    with pytest.raises(ftplib.error_temp, match=r"^421"):
        idle.getresp()
    with pytest.raises(OSError):
        socket.create_connection((door.host, door.port), timeout=5)
    sock.sendall(b"y" * 1000)
    sock.close()
    assert busy.getresp().startswith("226")
    assert [(row.state, row.size) for row in rows()] == [(states.RECEIVED, 301_000)]


def test_server_process_ends_on_sigterm(settings: Settings, database, ines):
    env = os.environ | {"OMIX_INSTANCE": str(settings.instance), "OMIX_FTP_PORT": "0", "OMIX_FTP_PASSIVE_PORTS": "0-0"}
    file = settings.run / "ftp.address"
    process = subprocess.Popen([sys.executable, "-m", "portal.cli", "ftp"], cwd=config.ROOT, env=env)
    try:
        until(file.exists, 20)
        with ftplib.FTP(timeout=20) as client:
            client.connect("127.0.0.1", int(file.read_text().strip().rsplit(":", 1)[1]))
            client.login(ines.email, ines.password)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ftplib.error_temp, match=r"^421"):
                client.getresp()
            client.close()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
