"""The worker's scheduler: wakes threads for work that is due, and enqueues the periodic tasks."""

import logging
import threading

from sqlalchemy import func, or_, select, update

from portal import clock, db, errors, queue, states
from portal.domain.shared import job_queue, trusted_clock
from portal.jobs.periodic_tasks import BY_DATE, PERIODIC_TASKS
from portal.models import Counter, Job

log = logging.getLogger(__name__)
PERIOD = 10.0


class Scheduler:
    """One thread of the worker. Two workers may each have one: a periodic task is taken by compare-and-swap."""

    def __init__(self, stop: threading.Event, *, threads: int) -> None:
        self.stop, self.threads = stop, threads
        self._woken = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="worker-clock", daemon=True).start()

    def wake(self) -> None:
        """Look again now: a job of this process was put off."""
        self._woken.set()

    def _run(self) -> None:
        while not self.stop.is_set():
            try:
                self.run_due()
                self.wake_due()
                wait = self.until_next()
            except errors.Busy:
                wait = 2.0
            except Exception:
                log.exception("the clock of the worker failed; it goes on")
                wait = PERIOD
            finally:
                db.end()
            self._woken.wait(wait)
            self._woken.clear()

    def wake_due(self) -> None:
        """Wake one thread a due job; each drains what there is. A queue that wakes one already is left alone."""
        count = len(job_queue.due(limit=self.threads))
        if count and queue.queue.pending_count() == 0:
            for _ in range(count):
                queue.wake(0)

    def until_next(self) -> float:
        """Seconds until a job that waits becomes due, at most PERIOD."""
        soonest = db.session.scalar(select(func.min(Job.not_before)).where(Job.state == states.QUEUED))
        if soonest is None:
            return PERIOD
        return min(PERIOD, max(0.05, (soonest - clock.now()) / 1000 if soonest > clock.now() else 1.0))

    def run_due(self) -> None:
        """Run the periodic tasks that are due, each in one worker only."""
        for name, period, verb in PERIODIC_TASKS:
            if not self._due(name, period) or (name in BY_DATE and trusted_clock.is_doubtful()):
                continue
            try:
                with db.transaction():
                    if self._take(name, period):
                        verb()
            except errors.Busy:
                raise
            except Exception:
                log.exception("the periodic task %s failed; it comes again", name)

    def _due(self, name: str, period: int) -> bool:
        """Whether a task is due: also where its next run is farther off than its period, for the clock was set back."""
        coming = db.session.scalar(select(Counter.next).where(Counter.name == f"round:{name}"))
        return coming is None or not clock.now() < coming <= clock.now() + period

    def _take(self, name: str, period: int) -> bool:
        key, now = f"round:{name}", clock.now()
        if db.session.get(Counter, key) is None:
            db.session.add(Counter(name=key, next=0))
            db.session.flush()
        coming = update(Counter).where(Counter.name == key, or_(Counter.next <= now, Counter.next > now + period))
        return db.change(coming.values(next=now + period)) == 1
