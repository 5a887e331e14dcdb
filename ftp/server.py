"""The FTP door's process: one thread accepts, one thread a session, and an orderly end."""

import errno
import logging
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from pyftpdlib.servers import FTPServer, ThreadedFTPServer

from ftp import tls
from ftp.authorizer import Watch
from ftp.handler import Session
from portal import db, ingest
from portal.config import Settings

log = logging.getLogger("ftp")
GRACE = 20.0
LAST_WORD = 6.0
POLL = 1.0
NOTE_EVERY = 60.0
MOST_NOTED = 2000


class Server(ThreadedFTPServer):
    """Sessions in threads. `stopping` tells them to end what is idle; is_over() that the grace is over too."""

    def __init__(self, address: tuple[str, int], handler: type[Session]) -> None:
        super().__init__(address, handler, backlog=512)
        self._lock, self._exit = threading.Lock(), threading.Event()
        self._threads: set[threading.Thread] = set()
        self._noted: dict[tuple[Any, ...], float] = {}
        self._deadline = 0.0
        self.stopping = False
        self.watch = Watch()

    def is_over(self) -> bool:
        return self.stopping and time.monotonic() > self._deadline

    def may_note(self, kind: str, account_id: int | None, address: str) -> bool:
        """At most one fault of a kind and sender a minute reaches the database, and never a flood."""
        now, key = time.monotonic(), (kind, account_id or address)
        with self._lock:
            if len(self._noted) > MOST_NOTED:
                self._noted = {sender: at for sender, at in self._noted.items() if at > now - NOTE_EVERY}
            if self._noted.get(key, -NOTE_EVERY) > now - NOTE_EVERY or len(self._noted) > MOST_NOTED:
                return False
            self._noted[key] = now
            return True

    # Connections.

    def _map_len(self) -> int:
        return len(self._threads)

    def _refresh_tasks(self) -> None:
        """Threads take themselves off the list."""

    def handle_accept(self) -> None:
        """Out of descriptors: leave the others in the queue for a moment, and keep listening."""
        try:
            super().handle_accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            log.error("no more connections can be accepted now: %s", error)
            time.sleep(0.2)

    def handle_accepted(self, sock: socket.socket, addr: tuple[Any, ...]) -> None:
        session = FTPServer.handle_accepted(self, sock, addr)  # the library would start a thread of its own kind
        if session is None or session._closed:
            return
        self.ioloop.unregister(session._fileno)
        thread = threading.Thread(target=self._run, args=(session,), name=f"ftp-{addr[0]}:{addr[1]}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            log.error("no thread for a session now: %s", error)
            with self._lock:
                self._threads.discard(thread)
            session.close()

    def _run(self, session: Session) -> None:
        """One session from its first command to its end."""
        try:
            with self.ioloop.factory() as loop:
                session.ioloop = loop
                session.add_channel()
                session.start()
                wait = POLL
                while loop.socket_map and not self._exit.is_set():
                    loop.poll(wait)
                    wait = min(POLL, loop.sched.poll() or POLL)
        except OSError as error:
            log.info("a session ended: %s", error)
        except Exception:
            log.exception("a session failed")
        finally:
            session.close()
            session.let_go()
            db.end()
            with self._lock:
                self._threads.discard(threading.current_thread())

    # The end.

    def stop(self, grace: float = GRACE) -> None:
        """Stop listening, let transfers end within the grace, cut the rest as incomplete."""
        self.del_channel()
        self.socket.close()
        self._deadline = time.monotonic() + grace
        self.stopping = True
        self._wait(grace + LAST_WORD)
        self._exit.set()
        self._wait(POLL + 2.0)
        self.watch.stop()
        self.ioloop.close()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._threads and time.monotonic() < end:
            time.sleep(0.05)


def build(settings: Settings) -> Server:
    """A server that listens but does not yet serve."""
    options = {
        "banner": f"{settings.site_name} ready.",
        "ssl_context": tls.context(settings),
        "tls_mode": settings.ftp_tls,
        "passive_ports": settings.passive_range,
        "masquerade_address": _public(settings.ftp_public_address),
    }
    server = Server((settings.host, settings.ftp_port), type("SiteSession", (Session,), options))
    server.max_cons, server.max_cons_per_ip = settings.ftp_max_connections, settings.ftp_max_per_address
    return server


def _public(address: str) -> str | None:
    """PASV tells numbers only."""
    if not address:
        return None
    try:
        return socket.gethostbyname(address)
    except OSError:
        log.error("the public address %s of the FTP door has no IPv4 address; PASV tells the local one", address)
        return None


def serve(
    settings: Settings,
    ready: Callable[[str], None] = lambda address: None,
    *,
    stop: threading.Event | None = None,
    grace: float = GRACE,
) -> None:
    """Serve until SIGTERM or SIGINT (or `stop`); `ready` is told the address once connections are accepted."""
    ended = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
    _raise_limits()
    server = build(settings)
    ingest.start("ftp")
    server.watch.start()
    host, port = server.address
    ready(f"ftp://{f'[{host}]' if ':' in host else host}:{port}")
    log.info("FTP accepts connections at %s port %s", host, port)
    try:
        while not ended.is_set():
            server.ioloop.poll(0.5)
            server.ioloop.sched.poll()
    finally:
        server.stop(grace)
        ingest.stop()
        log.info("FTP has stopped")


def _raise_limits() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
