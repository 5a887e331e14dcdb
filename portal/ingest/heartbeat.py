"""One thread and one short transaction every two seconds per process, whatever the load: writes how far uploads and
jobs are, renews their leases, and reads back which of them were taken over or whose account was closed."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from portal import db, errors
from portal.domain.shared import job_queue
from portal.domain.uploads import uploads
from portal.models import Account

log = logging.getLogger(__name__)
FIRST, PERIOD = 1.0, 2.0


class TrackedSession(Protocol):
    """An upload session, as far as the heartbeat needs to know it."""

    token: str
    account_id: int
    epoch: int
    done: bool
    lost: bool
    recording: bool

    @property
    def size(self) -> int: ...

    def progress(self) -> uploads.Arrival: ...


@dataclass
class _TrackedJob:
    """A running job; `done` is how far it was at the monotonic second `read_at`."""

    lease: job_queue.Lease
    progress: Callable[[], tuple[int, int]]
    read_at: float
    done: int = 0

    def read(self) -> tuple[int, int, int, int | None]:
        """(fence, done, total, rate in units a second), the rate since the last reading."""
        done, total = self.progress()
        now = time.monotonic()
        rate = int((done - self.done) / (now - self.read_at)) if now > self.read_at and done >= self.done else None
        self.read_at, self.done = now, done
        return self.lease.fence, done, total, rate


class Heartbeat:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: set[TrackedSession] = set()
        self._jobs: dict[int, _TrackedJob] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, name: str) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name=f"{name}-heartbeat", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def add(self, session: TrackedSession) -> None:
        with self._lock:
            self._sessions.add(session)

    def drop(self, session: TrackedSession) -> None:
        with self._lock:
            self._sessions.discard(session)

    def fence(self, token: str) -> None:
        """A session of this process was taken over: it may not write another byte."""
        with self._lock:
            for session in self._sessions:
                if session.token == token:
                    session.lost = True

    def sessions(self) -> list[TrackedSession]:
        with self._lock:
            return list(self._sessions)

    @contextmanager
    def watch_job(self, lease: job_queue.Lease, progress: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Keep a job's lease while its handler runs; `progress()` gives (done, total)."""
        with self._lock:
            self._jobs[lease.id] = _TrackedJob(lease, progress, time.monotonic())
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
                log.exception("a heartbeat failed")
            finally:
                db.end()

    def tick(self) -> None:
        """Write and read back once. An idle process does nothing here."""
        sessions, jobs = self.sessions(), self._read_jobs()
        if not sessions and not jobs:
            return
        with db.transaction():
            job_queue.renew_leases(jobs)
            lost = [session for session in sessions if not self._keep(session)]
            epochs = self._epochs({session.account_id for session in sessions})
        for session in sessions:
            if session in lost or epochs.get(session.account_id) != session.epoch:
                session.lost = True

    def _keep(self, session: TrackedSession) -> bool:
        return session.done or not session.size or uploads.keep(session.progress(), make=not session.recording)

    def _epochs(self, ids: set[int]) -> dict[int, int]:
        if not ids:
            return {}
        query = select(Account.id, Account.epoch).where(Account.id.in_(ids), Account.state == "active")
        return {row.id: row.epoch for row in db.session.execute(query)}

    def _read_jobs(self) -> dict[int, tuple[int, int, int, int | None]]:
        with self._lock:
            jobs = list(self._jobs.values())
        return {job.lease.id: job.read() for job in jobs}


heartbeat = Heartbeat()
