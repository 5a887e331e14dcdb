"""The daily self-check writes to the curators when something does not work, once a day, and is silent otherwise."""

import pytest
from sqlalchemy import select

from portal import clock, db
from portal.jobs import periodic_tasks
from portal.maintenance import self_check
from portal.maintenance.self_check import BAD, OK, WARN, Finding
from portal.models import Job, Mail


@pytest.fixture
def found(monkeypatch):
    """What the checks find; a list that a test fills."""
    findings: list[Finding] = []
    monkeypatch.setattr(self_check, "CHECKS", {"Disks": lambda: iter(findings)})
    return findings


def look(run_jobs) -> list[Mail]:
    with db.transaction():
        periodic_tasks.enqueue_selfcheck()
    run_jobs()
    clock.shift(clock.HOUR)
    run_jobs()
    db.end()
    return list(db.session.scalars(select(Mail)))


def test_fault_is_mailed_once_a_day(found, run_jobs, ruth):
    found.append(Finding(BAD, "Nothing can be written into /archive.", "Mend its mount."))
    (mail,) = look(run_jobs)
    assert mail.to == ruth.email and "Disks: Nothing can be written into /archive. Mend its mount." in mail.body
    assert "/admin/check" in mail.body
    assert len(look(run_jobs)) == 1
    clock.shift(clock.DAY)
    assert len(look(run_jobs)) == 2


def test_nothing_is_mailed_while_it_works(found, run_jobs, ruth):
    found.extend([Finding(OK, "All is well."), Finding(WARN, "Backup of the database: never yet.")])
    assert look(run_jobs) == []
    assert db.session.scalar(select(Job.state)) == "done"


def test_start_of_a_site_is_not_judged_at_once(found, run_jobs, ruth):
    """The first round comes with the first start, when web and FTP may not stand yet."""
    found.append(Finding(BAD, "The web never started."))
    with db.transaction():
        periodic_tasks.enqueue_selfcheck()
    run_jobs()
    assert list(db.session.scalars(select(Mail))) == []
