"""One session: lines in, replies out, and what keeps it within bounds: strange commands, silence, a closed account, a
server that stops. What the commands do is in commands.py and transfers.py."""

import logging
import socket
import time
from typing import Any

from pyftpdlib.handlers.ftps.control import TLS_FTPHandler

from ftp.authorizer import Authorizer
from ftp.commands import Commands
from ftp.control import SessionServer
from ftp.data import DataChannel
from ftp.dispatch import Active, Passive
from ftp.security import Security
from ftp.transfers import Transfers
from portal import db, errors

log = logging.getLogger("ftp")
LONGEST_LINE = 2048
SIGN_IN_TIME, IDLE_TIME = 30.0, 300.0
TICK = 2.0
LAST_WORD = 30.0
STRANGE_BEFORE, STRANGE_AFTER = 6, 20
RECHECK = 15.0
TRANSFERS = frozenset(("STOR", "APPE", "RETR", "LIST", "NLST", "MLSD"))
# Somebody speaks HTTP to the FTP port: a browser tricked into it, or a scanner.
FOREIGN = ("GET", "POST", "HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "HOST:")


class Session(Transfers, Commands, Security):
    """The protocol of one client. Each session runs in a thread of its own."""

    authorizer = Authorizer()
    active_dtp, passive_dtp, dtp_handler = Active, Passive, DataChannel
    abstracted_fs = None
    timeout = 0  # tick() looks for silence
    max_login_attempts = 3
    auth_failed_timeout = 0.3
    unicode_errors = "surrogateescape"
    proto_cmds = Commands.table(TLS_FTPHandler.proto_cmds)

    def __init__(self, conn: socket.socket, server: SessionServer, ioloop: Any = None) -> None:
        self.strange = 0
        super().__init__(conn, server, ioloop)
        self._available_facts = ["type", "perm", "size", "modify", "unique"]
        self._current_facts = list(self._available_facts)
        self._extra_feats = self.features()
        self.data_channel = None

    def start(self) -> None:
        """Called in the session's own thread, once its loop stands."""
        self.server.watch.add(self)
        self.ioloop.call_every(TICK, self.tick, _errback=self.handle_error)

    # Lines.

    def decode(self, line: bytes) -> str:
        """Undecodable bytes stay as marks that no name rule lets pass."""
        return line.decode("utf-8", "surrogateescape")

    def collect_incoming_data(self, data: bytes) -> None:
        if not self.authenticated and not self._ssl_requested and data[:2] == b"\x16\x03":
            self.note("implicit_tls")
            self.hang_up("421 Begin with plain FTP and AUTH TLS: this is explicit FTPS.")
            return
        self._in_buffer.append(data)
        self._in_buffer_len += len(data)
        if self._in_buffer_len > LONGEST_LINE:
            self._in_buffer, self._in_buffer_len = [], 0
            self.count_strange("500 This line is too long.")

    def found_terminator(self) -> None:
        line = self.decode(b"".join(self._in_buffer))
        self._in_buffer, self._in_buffer_len = [], 0
        if self._closing or self._closed:
            return
        self.heard = time.monotonic()
        command, _, argument = line.partition(" ")
        try:
            self.pre_process_command(line, command.upper(), argument)
        except Exception:
            log.exception("a command failed")
            if not self._closed:
                self.respond("451 Something failed here; the fault is ours.")
        finally:
            db.end()

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        if self.expired:
            self.hang_up("421 Your account was closed or signed out. Sign in again.")
            return
        is_command = cmd in self.proto_cmds or cmd[-4:] in ("ABOR", "STAT", "QUIT")
        if not is_command or (cmd == "SITE" and arg[:4].upper() not in ("HELP", "CHMO", "CPFR", "CPTO")):
            self.refuse_unknown(cmd)
            return
        self.strange = 0 if self.authenticated else self.strange
        if "\0" in arg:
            self.respond("553 A name cannot hold a NUL character.")
            return
        super().pre_process_command(line, cmd, arg)

    def process_command(self, cmd: str, *args: object, **kwargs: object) -> None:
        try:
            if self.admits(cmd) and (cmd not in TRANSFERS or self.may_transfer()):
                super().process_command(cmd, *args, **kwargs)
        except errors.DomainError as error:
            self.refuse(error)

    # Refusals.

    def refuse_unknown(self, cmd: str) -> None:
        if cmd in FOREIGN and cmd not in self.proto_cmds and not self.authenticated:
            self.hang_up("421 This is an FTP server.")
        elif cmd in self.unsupported:
            self.respond(f"502 {self.unsupported[cmd]}")
        else:
            self.count_strange(f'500 Command "{cmd[:40]}" not understood.')

    def count_strange(self, reply: str) -> None:
        self.strange += 1
        if self.strange >= (STRANGE_AFTER if self.authenticated else STRANGE_BEFORE):
            self.hang_up("421 Too many lines that are no FTP command.")
        else:
            self.respond(reply)

    # Time.

    def tick(self) -> None:
        """Every two seconds, whatever the client does."""
        now = time.monotonic()
        if self._closing and now - self.heard > LAST_WORD:
            self.close()  # its last reply is never read
        if self._closed or self._closing:
            return
        if self.data_channel is not None:
            self.data_channel.tick(now)
            self.heard = now
        if self._closed or self._closing:
            return
        busy = self.data_channel is not None
        if self.server.stopping and (not busy or self.server.is_over()):
            self.hang_up("421 This server stops. Come back in a minute; an upload can be resumed.")
        elif self.expired or (busy and self.is_shut(now)):
            self.hang_up("421 This is no longer open to you.")
        elif self.who is None and now - self.began > SIGN_IN_TIME:
            self.hang_up("421 Nobody signed in within 30 s.")
        elif not busy and now - self.heard > IDLE_TIME:
            self.hang_up("421 Nothing was asked for five minutes.")

    # The end.

    def close(self) -> None:
        self.server.watch.drop(self)
        super().close()
