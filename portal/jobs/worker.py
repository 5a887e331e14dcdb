"""The worker: rung by the queue, it takes the best job that is due, runs its handler and hands it back when it fails.

Every write is fenced: a worker that lost its lease cannot record anything.
"""

import errno
import logging
import os
import secrets
import signal
import socket
import threading

from huey import Huey
from huey.consumer import Consumer
from sqlalchemy import select

from portal import clock, db, errors, queue, states
from portal.config import settings
from portal.domain.shared import job_queue, transitions
from portal.domain.shared.job_queue import Lease
from portal.ingest.heartbeat import heartbeat
from portal.jobs.handlers.handler import Again, Handler, Progress, Stopped
from portal.jobs.outbound_threads import OutboundThreads
from portal.jobs.registry import HANDLERS
from portal.jobs.scheduler import Scheduler
from portal.models import Job

log = logging.getLogger(__name__)
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
SPACE_DELAY = 60_000
GRACE = 20.0
BULK = frozenset(kind for kind, handler in HANDLERS.items() if handler.bulk)
ALONE = frozenset(kind for kind, handler in HANDLERS.items() if handler.alone)
OUTSIDE = frozenset(kind for kind, handler in HANDLERS.items() if handler.outside)
INSIDE = frozenset(HANDLERS) - OUTSIDE


class Worker:
    """The jobs of one process."""

    def __init__(self, *, threads: int = 2) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.threads = threads
        self.stop = threading.Event()
        self.scheduler = Scheduler(self.stop, threads=threads)
        self._bulk = threading.BoundedSemaphore(max(1, threads - 1))
        self.outbound_threads = OutboundThreads(lambda: self.drain(without=INSIDE), self.stop)

    def release_dead(self) -> int:
        """Jobs that processes of this machine held and that are gone are due at once, not only after their lease."""
        with db.transaction():
            query = select(Job).where(Job.state == states.RUNNING, Job.owner.like(f"{socket.gethostname()}:%"))
            dead = [row for row in db.session.scalars(query) if not _is_alive(row.owner or "")]
            for row in dead:
                row.lease_until = 0
        db.end()
        return len(dead)

    def answer(self, _job_id: int = 0) -> None:
        """The bell: this thread does the work of the house, and others what waits for servers elsewhere."""
        self.outbound_threads.wake()
        self.drain(without=OUTSIDE)

    def drain(self, _job_id: int = 0, *, without: frozenset[str] = frozenset()) -> None:
        """Run what is due, best first, until nothing is left that this thread may take."""
        while not self.stop.is_set():
            bulk = not without >= BULK and self._bulk.acquire(blocking=False)
            try:
                lease = self.take(without=without if bulk else without | BULK)
                if bulk and (lease is None or lease.kind not in BULK):
                    self._bulk.release()
                    bulk = False
                if lease is None:
                    return
                self.perform(lease)
            finally:
                if bulk:
                    self._bulk.release()
                db.end()

    def take(self, *, without: frozenset[str] = frozenset()) -> Lease | None:
        """Claim the best job that is due; one whose attempts are used up (its workers died of it) fails instead."""
        for job_id in job_queue.due(limit=20, without=without):
            with db.transaction():
                lease = None if self._in_the_way(job_id) else job_queue.claim(job_id, owner=self.owner)
                if lease is None:
                    continue
                if lease.attempt <= lease.max_attempts:
                    return lease
                self._fail(lease, "The worker crashed on every attempt.")
        return None

    def _in_the_way(self, job_id: int) -> bool:
        """Work on one bag is done by one job at a time: none may clear away what another just put there."""
        row = db.session.get(Job, job_id)
        return row is None or (
            row.kind in ALONE and row.dataset_id is not None and job_queue.is_held(row.dataset_id, ALONE)
        )

    def perform(self, lease: Lease) -> None:
        """Run one job and see that it is finished, handed back or failed."""
        handler, progress = HANDLERS.get(lease.kind), Progress(self.stop)
        if handler is None:
            self._fault(lease, f"This worker does not know work of the kind {lease.kind}.")
            return
        try:
            with heartbeat.watch_job(lease, progress.read):
                handler.run(lease, progress)
        except Stopped:
            self._hand_back(lease, "", 0)
        except Again as again:
            self._hand_back(lease, again.sentence, again.delay)
        except errors.Fenced:
            log.warning("job %s (%s) was taken over; its result is dropped", lease.id, lease.kind)
        except errors.DomainError as error:
            self._refused(lease, error)
        except OSError as error:
            self._os_fault(lease, error)
        except Exception as error:
            log.exception("job %s (%s) failed, attempt %s", lease.id, lease.kind, lease.attempt)
            self._fault(lease, f"{type(error).__name__}: {error}")

    def _refused(self, lease: Lease, error: errors.DomainError) -> None:
        if isinstance(error, errors.DiskFull):
            self._hand_back(lease, "waiting for space", SPACE_DELAY)
        elif isinstance(error, errors.Busy):
            self._hand_back(lease, error.sentence, 2_000)
        else:
            log.warning("job %s (%s), attempt %s: %s", lease.id, lease.kind, lease.attempt, error.sentence)
            self._fault(lease, error.sentence)

    def _os_fault(self, lease: Lease, error: OSError) -> None:
        if error.errno in NO_SPACE:
            log.error("job %s (%s) waits for space", lease.id, lease.kind)
            self._hand_back(lease, "waiting for space", SPACE_DELAY)
            return
        log.exception("job %s (%s) failed, attempt %s", lease.id, lease.kind, lease.attempt)
        self._fault(lease, error.strerror or type(error).__name__)

    def _hand_back(self, lease: Lease, sentence: str, delay: int) -> None:
        try:
            with db.transaction():
                job_queue.put_off(lease, sentence, delay=delay, free=True)
        except Exception as error:  # a full disk may refuse this too; the lease runs out and the job is taken again
            log.warning("job %s could not be handed back: %s", lease.id, error)
        self.scheduler.wake()

    def _fault(self, lease: Lease, words: str) -> None:
        try:
            with db.transaction():
                if not job_queue.put_off(lease, words):
                    self._give_up(lease, words)
        except Exception as error:
            log.warning("job %s could not be put off: %s", lease.id, error)
        self.scheduler.wake()

    def _fail(self, lease: Lease, words: str) -> None:
        row = job_queue.check_lease(lease)
        transitions.transition(row, "fail", ended_at=clock.now(), lease_until=None, error=words)
        self._give_up(lease, words)

    def _give_up(self, lease: Lease, words: str) -> None:
        log.error("job %s (%s) failed for good: %s", lease.id, lease.kind, words)
        job_queue.note_failure(db.session.get_one(Job, lease.id))
        handler: Handler | None = HANDLERS.get(lease.kind)
        if handler is not None and handler.give_up is not None:
            handler.give_up(lease, words)


def _is_alive(owner: str) -> bool:
    """Whether the process of an owner, host:pid:word, still runs here."""
    pid = int(owner.split(":")[1])
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class QuietConsumer(Consumer):
    """Huey's consumer without its schedule, which this queue does not use, and without signal handlers of its own."""

    def _create_scheduler(self) -> "Idle":
        return Idle(self.huey, self.stop_flag)

    def _set_signal_handlers(self) -> None:
        return


class Idle:
    """Stands where the consumer wants a scheduler."""

    def __init__(self, huey: Huey, stop_flag: threading.Event) -> None:
        self.huey, self.stop_flag = huey, stop_flag

    def initialize(self) -> None:
        return

    def loop(self, now: object = None) -> None:
        self.stop_flag.wait(3600)

    def shutdown(self) -> None:
        return


def serve() -> None:
    """Run until SIGTERM or SIGINT; then running jobs are handed back at their next safe point."""
    worker = Worker(threads=settings().job_threads)
    queue.handle_with(worker.answer, worker.scheduler.wake_due)
    logging.getLogger("huey").setLevel(logging.WARNING)
    consumer = QuietConsumer(queue.queue, workers=worker.threads, periodic=False, initial_delay=0.05, max_delay=0.25)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop.set())
    heartbeat.start("worker")
    worker.release_dead()
    worker.scheduler.start()
    worker.outbound_threads.start()
    consumer.start()
    log.info("worker ready, %s jobs side by side", worker.threads)
    while not worker.stop.wait(1):
        pass
    consumer.shutdown_timeout = GRACE
    consumer.stop(graceful=True)
    worker.outbound_threads.join(GRACE)
    heartbeat.stop(2)
    log.info("worker ended")
