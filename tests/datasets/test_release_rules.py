"""What opens a dataset and where its bytes belong, of datasets whose rows are staged: each by its own papers alone."""

from contextlib import nullcontext

import pytest
from sqlalchemy import select

from portal import clock, db, errors, states
from portal.domain.datasets import publications, realms, releases
from portal.models import Dataset, Job
from tests.conftest import INES
from tests.reports import staged


def jobs(kind: str) -> list[int]:
    db.end()
    return list(db.session.scalars(select(Job.dataset_id).where(Job.kind == kind)))


def approved(**changes) -> Dataset:
    """An approved dataset of one file that nothing holds back but these changes of its row or of its file's."""
    dataset = staged.dataset(1, "approved")
    of_dataset = {name: changes.pop(name) for name in ("realm", "bag_dirty") if name in changes}
    of_file = {"state": states.ARCHIVED, "fixity": "ok", "fixity_at": clock.now()} | changes
    staged.file(dataset, staged.upload("a.txt", "archived"), **of_file)
    for name, value in ({"bag_dirty": False} | of_dataset).items():
        setattr(dataset, name, value)
    db.session.flush()
    return dataset


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"state": states.WAITING}, ["release_files_left"]),
        ({"fixity": "bad"}, ["release_files_damaged"]),
        ({"fixity": None}, ["release_reading"]),
        ({"fixity": "unknown"}, ["release_reading"]),
        ({"fixity_at": 1}, ["release_reading"]),
        ({"bag_dirty": True}, ["release_writing"]),
        ({"realm": "protected"}, ["files_moving"]),
    ],
)
def test_each_obstacle_alone_keeps_a_dataset_closed(database, changes, codes):
    with db.transaction():
        dataset = approved(**changes)
        assert [message.code for message in releases.obstacles(dataset)] == codes
        with pytest.raises(errors.NotReady) if codes else nullcontext():
            releases.release(dataset)
    assert dataset.state == ("approved" if codes else "released")


def test_dataset_without_a_file_does_not_open(database):
    with db.transaction():
        dataset = staged.dataset(1, "approved")
        dataset.bag_dirty = False
        assert [message.code for message in releases.obstacles(dataset)] == ["release_no_files"]


def test_paper_opens_the_dataset_that_it_names_and_no_other(database):
    with db.transaction():
        named, other = (staged.dataset(n, "approved") for n in (1, 2))
        publications.record(named, "10.1234/peat", actor=INES.account)

    assert [releases.cause(dataset) for dataset in (named, other)] == ["publication", None]
    assert [dataset.id for dataset in releases.due()] == [named.id]
    assert jobs("release") == [named.id]


@pytest.mark.parametrize(
    ("values", "file_state"),
    [
        ({"bag_dirty": True}, None),
        ({"bag_dirty": False, "bag_generation": 1}, None),
        ({"bag_dirty": False}, states.ARCHIVED),
        ({"bag_dirty": False}, states.CHECKING),
    ],
)
def test_bytes_that_are_archived_or_about_to_be_are_moved_by_a_job(database, values, file_state):
    dataset = returned(values, file_state)
    assert (dataset.realm, jobs("move")) == ("open", [dataset.id])


def test_with_nothing_archived_the_realm_is_just_set(database):
    dataset = returned({"bag_dirty": False}, states.WAITING)
    assert (dataset.realm, jobs("move")) == ("protected", [])


def returned(values: dict, file_state: str | None) -> Dataset:
    """A dataset that became controlled, at its next submit."""
    with db.transaction():
        dataset = staged.dataset(1, "returned", "controlled")
        dataset.realm = "open"
        for name, value in values.items():
            setattr(dataset, name, value)
        if file_state is not None:
            staged.file(dataset, staged.upload("a.txt"), file_state)
        realms.place_at_submit(dataset)
    return dataset
