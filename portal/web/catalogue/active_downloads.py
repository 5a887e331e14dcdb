"""Downloads of controlled data: each is an event when it begins and when it ends, and one whose grant ends or is
revoked while it runs is cut within seconds, also where the reader has stopped reading."""

import logging
import secrets
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import request

from portal import db
from portal.domain.access_requests import download_log
from portal.domain.access_requests.decisions import Download
from portal.domain.permissions import access, active_grants
from portal.domain.permissions.access import Reach
from portal.models import Dataset
from portal.web import session

log = logging.getLogger(__name__)
PERIOD = 5.0
# Closing with this drops what the kernel still holds for the reader.
NOT_LINGERING = struct.pack("ii", 1, 0)
_lock = threading.Lock()
_running: set["Running"] = set()
_thread: threading.Thread | None = None


@dataclass(eq=False)
class Running:
    """One download under way. `cut`: its grant is over; not another byte."""

    download: Download
    sock: Any = None
    cut: bool = field(default=False)

    def check(self) -> None:
        if self.cut:
            raise ConnectionAbortedError("the grant of this download is over")

    def hang_up(self) -> None:
        """End the connection under the thread that writes into it; that thread closes it."""
        self.cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOT_LINGERING)
                self.sock.shutdown(socket.SHUT_RDWR)

    def over(self, size: int) -> None:
        """The download ended, whole or not."""
        with _lock:
            _running.discard(self)
        download_log.end(self.download, size)


def begin(
    dataset: Dataset, reach: Reach, *, file_id: int | None, name: str, via: str, offset: int, length: int
) -> Running | None:
    """Write down that somebody begins to download, before the first byte; None where the data are not controlled."""
    actor = session.actor()
    if not access.is_controlled(dataset) or actor is None:
        return None
    grant_id = reach.grant.id if reach.grant else None
    download = Download(
        secrets.token_hex(8),
        dataset.id,
        actor.id,
        grant_id,
        file_id,
        name,
        via,
        session.client_address(),
        offset,
        length,
    )
    download_log.begin(download)
    running = Running(download, request.environ.get("gunicorn.socket"))
    if grant_id is not None:
        watch(running)
    return running


def watch(running: Running) -> None:
    global _thread
    with _lock:
        _running.add(running)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_watch, name="grants-watch", daemon=True)
            _thread.start()


def _watch() -> None:
    """Runs while anything does."""
    global _thread
    pause = threading.Event()
    while not pause.wait(PERIOD):
        with _lock:
            if not _running:
                _thread = None
                return
        try:
            look()
        except Exception:
            log.exception("the grants of running downloads could not be read")


def look() -> None:
    """Cut what is no longer open."""
    with _lock:
        now = set(_running)
    try:
        still = active_grants.open_now({one.download.request_id for one in now if one.download.request_id is not None})
    finally:
        db.end()
    for one in now:
        if one.download.request_id not in still:
            log.info("the download %s is cut: its grant is over", one.download.key)
            one.hang_up()
