"""Whether the clock can be believed. What cannot be taken back, such as an opening or an expiry, waits while it leapt
ahead further than time can have passed; what a clock that was set back would put off for ever is made due again."""

import ctypes
import logging
import time

from sqlalchemy import Select, select, update

from portal import clock, db, states
from portal.domain.shared import history, job_queue
from portal.models import Account, Counter, Job

log = logging.getLogger(__name__)
BELIEVED = "clock:beat"
LEAP, AWAY = clock.DAY, 30 * clock.DAY
FURTHEST = 7 * clock.DAY  # no job is put off for longer
TIME_ERROR = 5  # adjtimex: no time service keeps this clock
_awake: int | None = None


def is_doubtful() -> bool:
    """Whether the clock leapt more than a day ahead of what the worker last believed."""
    last = db.session.scalar(believed())
    return last is not None and clock.now() - last > LEAP


def believed() -> Select[int]:
    """The moment that was last believed."""
    return select(Counter.next).where(Counter.name == BELIEVED)


def check() -> None:
    """Compare the clock with what was last believed, once a minute in the worker. A leap while it runs is not
    believed; one while it did not run is, up to a month, and further where a time service keeps the clock."""
    global _awake
    now, awake, before = clock.now(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000, _awake
    last = db.session.scalar(believed())
    may_have_passed = AWAY if before is None else LEAP + awake - before
    if last is not None and now - last > may_have_passed and not (before is None and is_kept()):
        log.error("the clock leapt %d h ahead; what is due by date waits", (now - last) // clock.HOUR)
        job_queue.enqueue("selfcheck", key="selfcheck", priority=3)
        return
    if last is not None and last - now > clock.MINUTE:
        _set_back(now)
    _awake = awake
    _believe(now)


def trust(*, actor: Account | None = None) -> None:
    """An operator says that the clock is right."""
    _believe(clock.now())
    history.record("site.clock", actor=actor, after={"believed": clock.now()})


def _believe(now: int) -> None:
    db.session.merge(Counter(name=BELIEVED, next=now))
    db.session.flush()


def _set_back(now: int) -> None:
    """Nothing waits for moments that the clock showed by mistake."""
    log.warning("the clock was set back; what waits is due again")
    queued = update(Job).where(Job.state == states.QUEUED, Job.not_before > now + FURTHEST)
    db.change(queued.values(not_before=now))
    held = update(Job).where(Job.state == states.RUNNING, Job.lease_until > now + job_queue.LEASE_MS)
    db.change(held.values(lease_until=now + job_queue.LEASE_MS))


def is_kept() -> bool:
    """Whether a time service disciplines the clock. Where the kernel does not tell, nothing is said against it."""
    try:
        return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) != TIME_ERROR)
    except (AttributeError, OSError):
        return True
