"""Downloads under way: step 5 of a download. One of controlled data whose grant ends or is revoked while it runs is cut
within seconds, also where the reader has stopped reading."""

import logging
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass

from flask import request

from portal import db
from portal.domain.access_requests import download_log
from portal.domain.access_requests.download_log import Download
from portal.domain.permissions import access, active_grants
from portal.domain.permissions.access import Reach
from portal.models import Dataset
from portal.web import session
from portal.web.catalogue.ranges import Span

log = logging.getLogger(__name__)
PERIOD = 5.0
# Closing with this drops what the kernel still holds for the reader.
NOT_LINGERING = struct.pack("ii", 1, 0)
_lock = threading.Lock()
_running: set["Running"] = set()
_thread: threading.Thread | None = None


@dataclass(eq=False)
class Running:
    """One download under way; `files` count as fetched where it starts at offset 0. `cut`: its grant is over, not
    another byte."""

    download: Download
    sock: socket.socket | None = None
    files: int = 1
    cut: bool = False

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
        """The download ended, whole or not, after so many bytes."""
        with _lock:
            _running.discard(self)
        # 6. Log the end, and count.
        download_log.end(self.download, size, files=self.files if self.download.offset == 0 else 0)


def begin(
    dataset: Dataset, reach: Reach, span: Span, *, name: str, via: str, file_id: int | None = None, files: int = 1
) -> Running:
    """Write down, before the first byte of controlled data, that somebody begins to download; watch their grant."""
    actor = session.actor()
    download = Download(
        dataset_id=dataset.id,
        name=name,
        via=via,
        offset=span.start,
        length=span.length,
        account_id=actor.id if actor else None,
        request_id=reach.grant.id if reach.grant else None,
        file_id=file_id,
        address=session.client_address(),
        is_controlled=access.is_controlled(dataset) and actor is not None,
        is_counted=dataset.state in active_grants.PUBLIC,
    )
    download_log.begin(download)
    running = Running(download, request.environ.get("gunicorn.socket"), files)
    if download.is_controlled and download.request_id is not None:
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
            cut_ended()
        except Exception:
            log.exception("the grants of running downloads could not be read")


def cut_ended() -> None:
    """Cut what is no longer open."""
    with _lock:
        now = set(_running)
    try:
        still = active_grants.open_now(
            {running.download.request_id for running in now if running.download.request_id is not None}
        )
    finally:
        db.end()
    for running in now:
        if running.download.request_id not in still:
            log.info("the download %s is cut: its grant is over", running.download.key)
            running.hang_up()
