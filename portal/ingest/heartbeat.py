"""One thread and one short transaction every two seconds per process, whatever the load: writes how far uploads and
jobs are, renews their leases, and reads back which of them were taken over or whose account was closed."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import select

from portal import db, errors
from portal.domain.shared import job_queue
from portal.domain.uploads import uploads
from portal.models import Account

log = logging.getLogger(__name__)
FIRST, PERIOD = 1.0, 2.0


class Kept(Protocol):
    """An upload under way, as far as the heartbeat keeps it."""

    token: str
    account_id: int
    epoch: int
    done: bool
    lost: bool

    @property
    def size(self) -> int: ...

    def standing(self) -> uploads.Standing: ...


class Pulse:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receptions: set[Kept] = set()
        self._jobs: dict[int, list] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, name: str) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name=f"{name}-pulse", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def add(self, reception: Kept) -> None:
        with self._lock:
            self._receptions.add(reception)

    def drop(self, reception: Kept) -> None:
        with self._lock:
            self._receptions.discard(reception)

    def fence(self, token: str) -> None:
        """A session of this process was taken over: it may not write another byte."""
        with self._lock:
            for reception in self._receptions:
                if reception.token == token:
                    reception.lost = True

    def receptions(self) -> list[Kept]:
        with self._lock:
            return list(self._receptions)

    @contextmanager
    def watch_job(self, lease: job_queue.Lease, progress: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Keep a job's lease while its handler runs; `progress()` gives (done, total)."""
        with self._lock:
            self._jobs[lease.id] = [lease, progress, time.monotonic(), 0]
        try:
            yield
        finally:
            with self._lock:
                self._jobs.pop(lease.id, None)

    def _run(self) -> None:
        wait = FIRST
        while not self._stop.wait(wait):
            wait = PERIOD if self._jobs else FIRST
            try:
                self.tick()
            except errors.Busy:
                log.warning("the database was busy; progress is written with the next heartbeat")
            except Exception:
                log.exception("a pulse failed")
            finally:
                db.end()

    def tick(self) -> None:
        """Write and read back once. An idle process does nothing here."""
        receptions, leases = self.receptions(), self._leases()
        if not receptions and not leases:
            return
        with db.transaction():
            job_queue.renew_leases(leases)
            lost = [reception for reception in receptions if not self._keep(reception)]
            epochs = self._epochs({reception.account_id for reception in receptions})
        for reception in receptions:
            if reception in lost or epochs.get(reception.account_id) != reception.epoch:
                reception.lost = True

    def _keep(self, reception: Kept) -> bool:
        return reception.done or not reception.size or uploads.keep(reception.standing())

    def _epochs(self, ids: set[int]) -> dict[int, int]:
        if not ids:
            return {}
        query = select(Account.id, Account.epoch).where(Account.id.in_(ids), Account.state == "active")
        return {row.id: row.epoch for row in db.session.execute(query)}

    def _leases(self) -> dict[int, tuple[int, int, int, int | None]]:
        leases = {}
        with self._lock:
            entries = list(self._jobs.values())
        for entry in entries:
            lease, progress, before, last = entry
            done, total = progress()
            now = time.monotonic()
            rate = int((done - last) / (now - before)) if now > before and done >= last else None
            entry[2:] = [now, done]
            leases[lease.id] = (lease.fence, done, total, rate)
        return leases


pulse = Pulse()
