"""Clients that owe the rest of their request, against a web process of eight threads."""

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from portal.config import ROOT
from tests.waiting import until

THREADS = 8
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Rest: "
BODY = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BODY += b"Content-Length: 5000\r\n\r\nemail="


@pytest.fixture
def web(settings, database):
    """The address of `omix web`."""
    env = os.environ | {"OMIX_INSTANCE": str(settings.instance), "OMIX_PORT": "0", "OMIX_WEB_THREADS": str(THREADS)}
    process = subprocess.Popen([sys.executable, "-m", "portal.cli", "web"], cwd=ROOT, env=env)
    address = settings.run / "web.address"
    until(lambda: address.exists() or process.poll() is not None)
    assert process.poll() is None
    yield urlsplit(address.read_text().strip())
    process.terminate()
    process.wait(30)


def connect(web, said: bytes) -> socket.socket:
    made = socket.create_connection((web.hostname, web.port), timeout=30)
    made.sendall(said)
    return made


@pytest.mark.full
@pytest.mark.parametrize("owing", [HEAD, BODY], ids=["head", "body"])
def test_those_who_owe_their_request_keep_nobody_out(web, owing):
    slow = [connect(web, owing) for _ in range(3 * THREADS)]
    try:
        with closing(http.client.HTTPConnection(web.hostname, web.port, timeout=25)) as honest:
            for _ in range(3):
                honest.request("GET", "/login")
                answer = honest.getresponse()
                assert answer.status == 200 and answer.read()
    finally:
        for one in slow:
            one.close()


@pytest.mark.full
def test_a_request_in_pieces_is_answered(web):
    with closing(connect(web, HEAD)) as client:
        for piece in (b"a", b"b\r\n", b"Connection: close\r\n", b"\r\n"):
            time.sleep(1.2)
            client.sendall(piece)
        assert client.recv(15) == b"HTTP/1.1 200 OK"
