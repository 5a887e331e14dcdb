"""The revision that a poll compares: it changes when its reader would see something new, and only then."""

import pytest

from portal import clock, db
from portal.domain.datasets import datasets
from portal.domain.shared import history
from portal.models import Job, Upload
from portal.queries.datasets import revision
from tests.state_guard import states_unguarded


@pytest.fixture
def mine(ines):
    with db.transaction():
        return datasets.create(actor=ines.account, title="A", files=[{"name": "a.txt"}])


def test_revision_stands_while_nothing_happens(mine, ines):
    assert revision.of_dataset(mine) == revision.of_dataset(mine)
    assert revision.of_account(ines.account) == revision.of_account(ines.account)


def test_event_of_another_center_does_not_touch_it(mine, ines, stranger):
    before = revision.of_dataset(mine), revision.of_account(ines.account)
    with db.transaction():
        history.record("edit", actor=stranger.account)
    assert before == (revision.of_dataset(mine), revision.of_account(ines.account))


def test_event_changes_it(mine, ines):
    before = revision.of_dataset(mine), revision.of_account(ines.account)
    with db.transaction():
        datasets.edit(mine, {"title": "B"}, actor=ines.account)
    assert revision.of_dataset(mine) != before[0] and revision.of_account(ines.account) != before[1]


def test_bytes_that_arrive_change_it(mine, ines):
    before = revision.of_dataset(mine)
    with db.transaction():
        center = ines.account.center_id
        db.session.add(
            Upload(
                token="t",
                account_id=ines.id,
                center_id=center,
                name="a.txt",
                base="a.txt",
                bytes_done=5,
                heard_at=0,
                created_at=0,
            )
        )
    assert revision.of_dataset(mine) != before


def test_progress_of_its_job_changes_it_and_that_of_another_does_not(mine, ines):
    with states_unguarded():
        other = datasets.create(actor=ines.account, title="C")
        jobs = [
            Job(kind="archive", dataset_id=one.id, key=f"k{one.id}", state="running", not_before=0, created_at=0)
            for one in (mine, other)
        ]
        db.session.add_all(jobs)
    before = revision.of_dataset(mine)
    with db.transaction():
        db.session.get_one(Job, jobs[1].id).done = 7
    assert revision.of_dataset(mine) == before
    with db.transaction():
        db.session.get_one(Job, jobs[0].id).done = 7
    assert revision.of_dataset(mine) != before


def test_hour_changes_it_so_that_overdue_shows(mine):
    before = revision.of_dataset(mine)
    clock.shift(clock.HOUR)
    assert revision.of_dataset(mine) != before
