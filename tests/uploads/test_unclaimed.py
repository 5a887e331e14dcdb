"""Which uploads nobody claims, after every way an upload or file comes, changes and goes."""

import pytest
from sqlalchemy import delete, select, update

from portal import db
from portal.domain.datasets import datasets
from portal.models import Dataset, File, Unclaimed, Upload
from portal.queries.uploads import uploads
from tests.conftest import INES
from tests.state_guard import states_unguarded
from tests.tracking.test_tracking import upload


def kept() -> list:
    return sorted(db.session.execute(select(Unclaimed.upload_id, Unclaimed.realm, Unclaimed.folder)).all())


def found() -> list:
    query = select(Upload.id, Upload.realm, Upload.name, Upload.base).outerjoin(File, File.upload_id == Upload.id)
    rows = db.session.execute(query.where(File.id.is_(None), Upload.state.in_(("received", "failed"))))
    return sorted((one, realm, name.removesuffix(base)) for one, realm, name, base in rows)


@pytest.fixture
def dataset(database) -> Dataset:
    """Of three files, beside eight uploads of three folders."""
    with states_unguarded() as session:
        made = datasets.create(
            actor=INES.account, title="T", description="D", species="S", files=[{"name": f"f{n}.gz"} for n in range(3)]
        )
        for n in range(1, 9):
            folder = ("", "a/", "a/b/")[n % 3]
            session.add(
                Upload(
                    **upload(
                        INES.account,
                        n,
                        name=f"{folder}s{n}.gz",
                        realm="open" if n < 8 else "protected",
                        state=("received", "failed", "archived")[n // 4],
                    )
                )
            )
        return made


def test_table_follows_uploads_and_files(dataset):
    assert kept() == found() and len(kept()) == 7
    for statement in (
        update(File).where(File.n == 1).values(upload_id=1),
        update(File).where(File.n == 2).values(upload_id=2),
        update(File).where(File.n == 1).values(upload_id=3),
        update(Upload).where(Upload.id == 4).values(state="incomplete"),
        update(Upload).where(Upload.id.in_((4, 8))).values(state="received"),
        update(Upload).where(Upload.id == 5).values(name="z/new.gz", base="new.gz", realm="protected"),
        update(Upload).where(Upload.id == 2).values(state="checking"),
        update(Upload).where(Upload.id == 2).values(state="failed", bytes_done=3),
        delete(File).where(File.n == 2),
        delete(Upload).where(Upload.id == 6),
        update(File).values(upload_id=None),
    ):
        with states_unguarded() as session:
            session.execute(statement)
        assert kept() == found()
    assert len(kept()) == 7


def test_choice_is_of_a_folder_and_a_realm_that_fits(dataset):
    owner = dataset.account
    assert [row.id for row in uploads.choice(dataset, owner).rows] == [7, 6, 5, 4, 3, 2, 1]
    assert [row.id for row in uploads.choice(dataset, owner, folder="a").rows] == [7, 5, 4, 2, 1]
    assert [row.id for row in uploads.choice(dataset, owner, folder="/a/b/").rows] == [5, 2]
    assert uploads.folders(dataset, owner) == ["a/", "a/b/"]
    assert uploads.folders(dataset, owner, limit=1) == ["a/"]
    assert (
        str(uploads.unclaimed_count(dataset, owner)),
        str(uploads.unclaimed_count(dataset, owner, folder="a/b")),
    ) == ("7", "2")
    assert [row.id for row in uploads.chosen(dataset, owner, [3, 8, 99])] == [3]
    assert [row.id for row in uploads.chosen(dataset, owner, None, folder="a/b")] == [2, 5]
    with states_unguarded():
        dataset.access = "controlled"
        db.session.execute(update(Upload).where(Upload.id == 8).values(state="received"))
    assert uploads.unclaimed_count(dataset, owner).number == 8
