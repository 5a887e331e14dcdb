"""Clocks that leap: what cannot be taken back waits until somebody believes them."""

import threading

import pytest
from sqlalchemy import delete, select

from portal import cli, clock, db, states
from portal.domain.datasets import releases
from portal.domain.shared import trusted_clock
from portal.domain.shared.job_queue import enqueue
from portal.jobs.scheduler import Scheduler
from portal.maintenance import self_check
from portal.models import Counter, Dataset, Job, Request
from tests.access_requests import support

YEAR = 365 * clock.DAY


@pytest.fixture
def worker(database, monkeypatch) -> Scheduler:
    """The clock of a worker that was just started."""
    monkeypatch.setattr(trusted_clock, "_awake", None)
    monkeypatch.setattr(trusted_clock, "is_kept", lambda: False)
    return Scheduler(threading.Event(), threads=1)


def turn(worker: Scheduler) -> None:
    db.end()
    worker.run_due()
    db.end()


def owed() -> set[str]:
    return {row.kind for row in db.session.scalars(select(Job).where(Job.state == states.QUEUED))}


def clear() -> None:
    with db.transaction():
        db.session.execute(delete(Job))


def approve_for(days: int) -> Dataset:
    accession = support.release(support.INES, access="open", state="approved")
    with db.transaction():
        made = support.dataset(accession)
        made.release_date = releases.day(days)
    return made


def test_leap_opens_nothing_until_it_is_believed(worker, monkeypatch):
    turn(worker)
    approve_for(300)
    clear()
    clock.shift(YEAR)
    turn(worker)
    assert owed() & {"release", "expire", "prune", "report", "selfcheck"} == {"selfcheck"}
    found = [one for one in self_check.run()["Clock"] if one.level == self_check.BAD]
    assert "leapt 365 days ahead" in found[0].says and "--clock-is-right" in found[0].remedy

    monkeypatch.setattr("portal.cli.commands.open_instance", lambda **_: None)
    assert cli.main(["release-due", "--clock-is-right"]) == 0
    clock.shift(clock.MINUTE)
    turn(worker)
    assert "release" in owed()


def test_what_is_asked_for_opens_whatever_the_clock_says(worker):
    turn(worker)
    made = approve_for(300)
    with db.transaction():
        db.session.get_one(Dataset, made.id).release_wanted_at = clock.now()
    clock.shift(YEAR)
    turn(worker)
    assert "release" in owed()


@pytest.mark.parametrize(("days", "kept", "opens"), [(3, False, True), (40, False, False), (40, True, True)])
def test_leap_during_a_stop_may_be_the_time_that_passed(worker, monkeypatch, days, kept, opens):
    turn(worker)
    approve_for(2)
    monkeypatch.setattr(trusted_clock, "_awake", None)
    monkeypatch.setattr(trusted_clock, "is_kept", lambda: kept)
    clock.shift(days * clock.DAY)
    turn(worker)
    assert ("release" in owed()) == opens


def test_clock_that_is_right_again_goes_on_as_before(worker):
    granted = support.grant(support.release(support.INES))
    turn(worker)
    clock.shift(YEAR)
    turn(worker)
    with db.transaction():
        enqueue("prune", key="later", delay=clock.HOUR)
    clock.shift(-YEAR)
    turn(worker)
    assert not trusted_clock.is_doubtful()
    assert db.session.get_one(Request, granted).state == states.GRANTED
    rounds = db.session.scalars(select(Counter.next).where(Counter.name.startswith("round:")))
    assert all(coming <= clock.now() + clock.DAY for coming in rounds)


def test_clock_that_is_set_back_leaves_no_work_for_later(worker):
    clock.shift(YEAR)
    turn(worker)
    with db.transaction():
        enqueue("prune", key="later", delay=clock.HOUR)
    clock.shift(-YEAR)
    turn(worker)
    late = select(Job.key).where(Job.state == states.QUEUED, Job.not_before > clock.now() + clock.HOUR)
    assert list(db.session.scalars(late)) == []
    assert not trusted_clock.is_doubtful()
