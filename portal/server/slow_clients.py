"""Slow clients of the web server. A thread waits for the rest of a request for a limited time, and where most threads
wait, the slowest client is disconnected: who sends nothing keeps nobody else from the portal."""

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

STALL = 30.0  # s without a byte
WINDOW, RATE = 30.0, 500  # s of waiting after which so many bytes per second must have come
NOTICE = 1.0  # s after which a reader counts as one who waits
SENT_WITHIN = 120  # s in which a reader takes something of its download


class WaitingClients:
    """The connections whose threads wait for bytes, at most `most` of them."""

    def __init__(self) -> None:
        self.most = 48
        self._lock = threading.Lock()
        self._waiting: dict[ClientSocket, float] = {}

    def join(self, client: "ClientSocket") -> None:
        with self._lock:
            self._waiting[client] = time.monotonic()
            over = len(self._waiting) > self.most
            slowest = min(self._waiting, key=lambda client: (client.speed, self._waiting[client])) if over else None
            if slowest is not None:
                del self._waiting[slowest]
        if slowest is not None:
            slowest.disconnect()

    def leave(self, client: "ClientSocket") -> None:
        with self._lock:
            self._waiting.pop(client, None)


waiting_clients = WaitingClients()


class ClientSocket(socket.socket):
    """The connection of a client, which is read for a limited time. To its reader a client that is disconnected looks
    like one that hung up."""

    waited, got = 0.0, 0

    @property
    def speed(self) -> float:
        """Bytes per second of waiting."""
        return self.got / max(self.waited, NOTICE)

    def disconnect(self) -> None:
        with suppress(OSError):
            self.shutdown(socket.SHUT_RD)

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.gettimeout() is not None:
            return super().recv(size, flags)
        began = time.monotonic()
        came = self._wait()
        self.waited += time.monotonic() - began
        if not came or (self.waited > WINDOW and self.got < RATE * self.waited):
            return b""
        if self.waited > WINDOW:
            self.waited, self.got = 0.0, 0
        data = super().recv(size, flags)
        self.got += len(data)
        return data

    def _wait(self) -> bool:
        """Wait for bytes. Returns whether any came in time."""
        poll = select.poll()
        poll.register(self, select.POLLIN)
        if poll.poll(NOTICE * 1000):
            return True
        waiting_clients.join(self)
        try:
            return bool(poll.poll((STALL - NOTICE) * 1000))
        finally:
            waiting_clients.leave(self)


class Worker(ThreadWorker):
    """gunicorn's thread worker, with a ClientSocket for each connection. A quarter of its threads is always left to
    clients that do not wait."""

    def init_process(self) -> None:
        waiting_clients.most = max(1, self.cfg.threads * 3 // 4)
        super().init_process()

    def enqueue_req(self, conn: Any) -> None:
        if not isinstance(conn.sock, ClientSocket):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SENT_WITHIN, 0))
            conn.sock = ClientSocket(fileno=conn.sock.detach())
        super().enqueue_req(conn)
