"""The control connection (RFC 959): what every part of a session shares. Its state, its replies, its log, and the
faults that the portal will explain."""

import logging
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from OpenSSL import SSL
from pyftpdlib.handlers.ftps.control import TLS_FTPHandler

from ftp.authorizer import Watched, Who
from ftp.data import DataChannel
from ftp.tree.filesystem import Tree
from portal import db, errors
from portal.domain.accounts import accounts, ftp_faults
from portal.domain.shared import notifications
from portal.messages import say

log = logging.getLogger("ftp")


class Sessions(Protocol):
    """The open sessions, as the server's watch keeps them."""

    def add(self, session: Watched) -> None: ...
    def drop(self, session: Watched) -> None: ...


class SessionServer(Protocol):
    """What a session asks of the server that accepted it."""

    stopping: bool

    @property
    def watch(self) -> Sessions: ...
    def is_over(self) -> bool: ...
    def may_note(self, kind: str, account_id: int | None, address: str) -> bool: ...


def printable(text: str) -> str:
    """Text safe for one line of a reply or a log."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


class ControlConnection(TLS_FTPHandler):
    """The part of a session that its commands stand on; Session puts them together.

    `who` is None and `fs` is None until somebody signed in. `heard`, `began` and `checked` are moments of the monotonic
    clock, in seconds; `announced` is the size that ALLO gave, in bytes.
    """

    tls_mode = "optional"
    quiet = staticmethod(log.debug)
    ssl_context: SSL.Context | None
    server: SessionServer
    data_channel: DataChannel | None
    fs: Tree | None

    def __init__(self, conn: socket.socket, server: SessionServer, ioloop: Any = None) -> None:
        self.who: Who | None = None
        self.expired = False
        self.heard = self.began = self.checked = time.monotonic()
        self.announced: int | None = None
        self.hash_name = "MD5"
        super().__init__(conn, server, ioloop)

    @property
    def tree(self) -> Tree:
        """The tree of whoever signed in. Raises SignInNeeded."""
        if self.fs is None:
            raise errors.SignInNeeded(say("ftp_sign_in", "Sign in first."))
        return self.fs

    def features(self) -> list[str]:
        """What FEAT lists besides the library's own."""
        digests = ["HASH MD5*;SHA-256" if self.hash_name == "MD5" else "HASH MD5;SHA-256*", "XMD5", "XSHA256"]
        return digests if self.tls_mode == "off" else ["AUTH TLS", "PBSZ", "PROT", *digests]

    # Replies.

    def push(self, data: str) -> None:
        """Send text. Names that came as bytes which are no UTF-8 are written with backslashes."""
        super().push(data if data.isascii() else data.encode("utf-8", "backslashreplace").decode())

    def respond(self, resp: str, logfun: Callable[..., object] = log.debug) -> None:
        resp = printable(resp)
        self._last_response = resp
        self.push(f"{resp}\r\n")
        if resp[0] in "45":
            self.log(f"-> {resp}", logfun)

    def refuse(self, error: errors.DomainError) -> None:
        """Answer with the refusal's own reply code and sentence."""
        if isinstance(error, errors.BadName):
            self.note("refused_name", error.sentence)
        self.respond(f"{error.ftp} {notifications.as_text(error)}")

    def hang_up(self, reply: str) -> None:
        """A last reply, then the end of the session; a transfer that runs ends as incomplete."""
        if not self._closed and not self._closing:
            self.ac_in_buffer = b""
            self.drop_pending()
            if self.data_channel is not None:
                self.data_channel.give_up(say("session_ended", "The session ended before the file was whole."))
            self.respond(reply, log.info)
            self.close_when_done()

    def drop_pending(self) -> bool:
        """Discard what waits for a data connection that will not come. Returns whether anything did."""
        incoming, outgoing = self._in_dtp_queue, self._out_dtp_queue
        for file in (incoming and incoming[0], outgoing and outgoing[2]):
            if file is not None:
                file.close()
        self._in_dtp_queue = self._out_dtp_queue = None
        return incoming is not None or outgoing is not None

    # What is kept.

    def note(self, kind: str, detail: str = "", *, meant: str = "") -> None:
        """Keep a protocol fault for the account or address, so that the portal can explain it. `meant` is the user
        name of somebody who has not signed in."""
        named = accounts.by_email(meant) if meant and not self.who else None
        account_id = self.who.account_id if self.who else named.id if named else None
        if not self.server.may_note(kind, account_id, self.remote_ip):
            return
        try:
            with db.transaction():
                ftp_faults.note(kind, account_id=account_id, address=self.remote_ip, detail=printable(detail))
        except errors.DomainError as error:
            self.log(f"a fault of the wire was not kept: {error}", log.warning)

    def logline(self, msg: str, logfun: Callable[..., object] = log.debug) -> None:
        """Lines of the protocol are not logged: they hold names, and PASS."""

    def log(self, msg: str, logfun: Callable[..., object] = log.info) -> None:
        logfun("%s [%s] %s", self.remote_ip, printable(self.username)[:100], printable(msg))

    def log_cmd(self, cmd: str, arg: object, respcode: int, respstr: str) -> None:
        if cmd in ("DELE", "RMD", "RNTO", "MKD"):
            self.log(f"{cmd} {arg} {respcode}")

    def log_exception(self, instance: object) -> None:
        log.exception("a session of %s failed", self.remote_ip)

    # Who.

    def sign_in_as(self, who: Who) -> None:
        self.who, self.fs, self.username = who, Tree(who), who.name
        self.authenticated, self.attempted_logins = True, 0

    def flush_account(self) -> None:
        """Sign out: a new USER, or REIN."""
        self.drop_pending()
        super().flush_account()
        self.who, self.fs = None, None
        self.began = time.monotonic()
