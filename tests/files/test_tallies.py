"""The tallies that the database keeps, after every way a file or component comes, changes and goes."""

import pytest
from sqlalchemy import func, select, text, update

from portal import db, states
from portal.domain.datasets import datasets, discard
from portal.domain.files import files
from portal.maintenance import fsck
from portal.models import Component, ComponentTally, Dataset, File, FileTally, Upload
from portal.queries.files import tallies
from tests.conftest import INES
from tests.state_guard import states_unguarded
from tests.tracking.test_tracking import upload


def kept() -> dict:
    rows = db.session.execute(select(FileTally.dataset_id, FileTally.state, FileTally.number, FileTally.bytes))
    return {(one, state): (number, size) for one, state, number, size in rows if number}


def counted() -> dict:
    size = func.sum(func.coalesce(File.size, Upload.size, 0))
    query = select(File.dataset_id, File.state, func.count(), size).outerjoin(Upload, Upload.id == File.upload_id)
    rows = db.session.execute(query.group_by(File.dataset_id, File.state))
    return {(one, state): (number, size) for one, state, number, size in rows}


@pytest.fixture
def dataset(database) -> int:
    with states_unguarded():
        made = datasets.create(
            actor=INES.account, title="T", description="D", species="S", files=[{"name": f"s{n}.gz"} for n in range(5)]
        )
        return made.id


def change(*statements) -> None:
    with states_unguarded() as session:
        for one in statements:
            session.execute(one)


def test_tally_follows_files_and_their_bytes(dataset):
    of = update(File).where(File.dataset_id == dataset)
    assert kept() == counted() == {(dataset, "waiting"): (5, 0)}
    with db.transaction() as session:
        session.add_all(Upload(**upload(INES.account, n, name=f"s{n}.gz", size=10 * n)) for n in (1, 2))
    first = db.session.scalars(select(Upload.id).order_by(Upload.id)).all()
    for statement in (
        of.where(File.n == 1).values(upload_id=first[0], state="received"),
        of.where(File.n == 2).values(upload_id=first[1], state="checking"),
        update(Upload).values(size=Upload.size + 7),
        of.where(File.n == 2).values(state="archived", size=27),
        update(Upload).values(size=1),
        of.where(File.n == 3).values(title="another", n=30),
        of.values(state="removed", upload_id=None),
    ):
        change(statement)
        assert kept() == counted()
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset), [{"name": "new.gz"}], actor=INES.account)
    assert kept() == counted()
    assert tallies.of([db.session.get_one(Dataset, dataset)])[dataset].files == {"aside": 5, "waiting": 1}
    change(File.__table__.delete().where(File.n == 1))
    assert kept() == counted()


def test_bytes_are_those_of_what_is_not_set_aside(dataset):
    of = update(File).where(File.dataset_id == dataset)
    change(
        of.where(File.n <= 2).values(state="archived", size=100), of.where(File.n == 3).values(state="replaced", size=9)
    )
    whole = db.session.get_one(Dataset, dataset)
    assert tallies.bytes_of(whole) == 200
    assert tallies.declared(tallies.files([dataset])[dataset]) == 4


def test_tally_follows_components(dataset):
    whole = db.session.get_one(Dataset, dataset)
    with states_unguarded() as session:
        session.add_all(
            Component(
                dataset_id=dataset,
                center_id=whole.center_id,
                type="RUN",
                alias=f"r{n}",
                received_at=1,
                updated_at=1,
                state=states.COMPONENT.states[n % 3],
            )
            for n in range(9)
        )
    change(
        update(Component).where(Component.alias == "r0").values(state="error", status="withdrawn"),
        Component.__table__.delete().where(Component.alias == "r1"),
    )
    query = select(Component.state, func.count()).where(Component.dataset_id == dataset).group_by(Component.state)
    assert tallies.components([dataset])[dataset] == {state: number for state, number in db.session.execute(query)}
    withdrawn = select(ComponentTally.number).where(ComponentTally.status == "withdrawn", ComponentTally.number > 0)
    assert db.session.scalars(withdrawn).all() == [1]


def test_what_is_discarded_leaves_no_tally(dataset):
    with db.transaction():
        discard.discard(db.session.get_one(Dataset, dataset), actor=INES.account)
    assert db.session.scalars(select(FileTally.dataset_id)).all() == []


def test_fsck_tells_of_a_tally_that_is_wrong(dataset):
    assert not [line for line in fsck.check() if "tally" in line]
    change(text("UPDATE file_tally SET number = 7"))
    assert [line for line in fsck.check() if "tally" in line] == [
        f"dataset {dataset}: 5 files are waiting, its tally says 7"
    ]
