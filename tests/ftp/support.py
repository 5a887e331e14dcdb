"""What the FTP tests share: rows as they are committed, raw sockets, and waiting for what happens in another thread."""

import ftplib
import io
import socket
import struct

from sqlalchemy import select

from portal import db
from portal.models import Upload, WireFault


def rows() -> list[Upload]:
    with db.reading():
        return list(db.session.scalars(select(Upload).order_by(Upload.id)))


def faults() -> list[tuple[str, int | None, str]]:
    with db.reading():
        return [(one.kind, one.account_id, one.detail) for one in db.session.scalars(select(WireFault))]


def reset(sock: socket.socket) -> None:
    """End a connection by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Raw:
    """A control connection without a library in between."""

    def __init__(self, host: str, port: int) -> None:
        self.sock = socket.create_connection((host, port), timeout=15)
        self.lines = self.sock.makefile("rb")
        assert self.answer().startswith("220")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self) -> str:
        """The last line of a reply; empty when the server hung up."""
        while True:
            line = self.lines.readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line or (line[:3].isdigit() and line[3:4] == " "):
                return line

    def ask(self, data: bytes) -> str:
        self.send(data + b"\r\n")
        return self.answer()

    def close(self) -> None:
        self.lines.close()
        self.sock.close()


def refusal(client: ftplib.FTP, command: str) -> str:
    """The reply of a command that must be refused."""
    try:
        reply = client.sendcmd(command)
    except ftplib.Error as error:
        return str(error)
    raise AssertionError(f"{command} was not refused but answered {reply}")


def get(client: ftplib.FTP, path: str) -> bytes:
    got = io.BytesIO()
    client.retrbinary(f"RETR {path}", got.write)
    return got.getvalue()
