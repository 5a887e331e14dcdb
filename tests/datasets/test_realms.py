"""An open dataset becomes controlled, or the other way round: its bytes move whole, whenever the work is killed."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select

from portal import clock, db, errors, storage
from portal.domain.datasets import datasets, prechecks, releases
from portal.jobs.worker import Worker
from portal.maintenance import fsck, reconcile
from portal.models import Event
from tests import depositing as deposit
from tests.conftest import INES
from tests.killed import work_until_killed
from tests.state_guard import states_unguarded

pytestmark = [
    pytest.mark.usefixtures("receiving"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
CONTENTS = {"a.bin": b"one", "run1/b.bin": b"two" * 1000, "c.bin": os.urandom(300_000)}
OTHER = {"open": "protected", "protected": "open"}


def change(dataset_id: int, access: str) -> None:
    with db.transaction():
        datasets.edit(db.session.get_one(deposit.Dataset, dataset_id), {"access": access}, actor=INES.account)


def go_on() -> None:
    reconcile.run()
    for _ in range(3):
        Worker().drain()
        clock.shift(clock.MINUTE)


@pytest.fixture
def archived(once):
    """`archived()`: a dataset whose files lie in the archive. The first thing that a test makes."""

    def make(access: str) -> int:
        dataset_id = deposit.submit(CONTENTS, access=access)
        go_on()
        return dataset_id

    return lambda access="open": once(make, access)


def assert_moved(dataset_id: int, realm: str) -> None:
    found = deposit.get(dataset_id)
    assert found.realm == realm
    for file, data in zip(deposit.files_of(dataset_id), CONTENTS.values(), strict=True):
        assert deposit.archived_path(dataset_id, file.n).read_bytes() == data
        assert deposit.archived_path(dataset_id, file.n).stat().st_nlink == 1
    assert not storage.bag_path(OTHER[realm], found.accession).exists()
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert list(fsck.check(deep=True)) == []
    moves = list(db.session.scalars(select(Event.after).where(Event.action == "move")))
    assert moves == [{"realm": realm}]


@pytest.mark.parametrize(
    ("before", "after", "realm"), [("open", "controlled", "protected"), ("controlled", "open", "open")]
)
def test_bytes_follow_the_access(database, before, after, realm, archived):
    dataset_id = archived(before)
    change(dataset_id, after)
    assert deposit.get(dataset_id).access == after, "doors follow at once"
    go_on()
    assert_moved(dataset_id, realm)


def test_move_takes_its_own_dataset_alone(database, archived):
    moving = archived()
    staying = deposit.submit({"other.bin": b"four"})
    go_on()
    change(moving, "controlled")
    go_on()
    assert [deposit.get(dataset_id).realm for dataset_id in (moving, staying)] == ["protected", "open"]
    assert list(fsck.check(deep=True)) == []


def test_dataset_does_not_open_before_its_bytes_are_there(database, archived):
    dataset_id = archived()
    deposit.approve(dataset_id)
    change(dataset_id, "controlled")
    deposit.approve(dataset_id)
    deposit.ask_release(dataset_id)
    assert ("files_moving", {"realm": "protected"}) in obstacles(dataset_id)
    for _ in range(4):
        go_on()
    assert deposit.get(dataset_id).state == "released"
    assert_moved(dataset_id, "protected")


def obstacles(dataset_id: int) -> list[tuple[str, dict]]:
    return [(message.code, message.values) for message in releases.obstacles(deposit.get(dataset_id))]


def test_access_changed_back_while_it_moves_leaves_one_copy(database, archived):
    dataset_id = archived()
    change(dataset_id, "controlled")
    change(dataset_id, "open")
    go_on()
    assert deposit.get(dataset_id).realm == "open"
    assert list(fsck.check(deep=True)) == []
    assert list(db.session.scalars(select(Event.id).where(Event.action == "move"))) == []


def test_before_the_first_byte_only_the_row_changes(database):
    with db.transaction():
        made = datasets.create(
            actor=INES.account, title="T", description="D", species="S", files=[{"name": "late.bin"}]
        )
        datasets.submit(made, actor=INES.account)
        dataset_id = made.id
    change(dataset_id, "controlled")
    go_on()
    assert deposit.get(dataset_id).realm == "protected"
    deposit.send("late.bin", b"late")
    with db.transaction():
        datasets.send_to_archive(db.session.get_one(deposit.Dataset, dataset_id))
    go_on()
    assert deposit.archived_path(dataset_id).read_bytes() == b"late"
    assert "/protected/" in str(deposit.archived_path(dataset_id))


def test_file_of_the_protected_area_holds_its_dataset_controlled(database):
    session = deposit.upload_session.open(INES.id, realm="protected", area="incoming", name="p.bin", via="api")
    session.write(b"protected")
    session.finish()
    with db.transaction():
        made = datasets.create(actor=INES.account, title="T", access="controlled", files=[{"name": "p.bin"}])
        dataset_id = made.id
    with pytest.raises(errors.Conflict) as refused:
        change(dataset_id, "open")
    assert (refused.value.message.code, refused.value.message.values) == ("access_protected_bytes", {"name": "p.bin"})
    assert deposit.get(dataset_id).access == "controlled"


def test_released_dataset_keeps_its_access(database, archived):
    dataset_id = archived()
    with states_unguarded():
        found = db.session.get_one(deposit.Dataset, dataset_id)
        found.state, found.released_at = "released", clock.now()
    with pytest.raises(errors.Conflict):
        change(dataset_id, "controlled")


STEPS = ["linked:2", "synced:1", "renamed:1", "recorded:1", "switched:1", "clearing:2", "removed:1"]


@pytest.mark.parametrize("step", STEPS)
def test_move_killed(settings, step, archived):
    dataset_id = archived()
    change(dataset_id, "controlled")
    work_until_killed(settings, f"move.{step}:kill")
    for n, data in enumerate(CONTENTS.values(), 1):
        if step != "clearing:2" or deposit.get(dataset_id).realm == "protected":
            assert deposit.archived_path(dataset_id, n).read_bytes() == data, "one copy counts at any moment"
    go_on()
    assert_moved(dataset_id, "protected")


def test_move_killed_again_and_again_then_changed_back(settings, archived):
    dataset_id = archived()
    change(dataset_id, "controlled")
    for step in ("linked:3", "renamed:1"):
        work_until_killed(settings, f"move.{step}:kill")
        reconcile.run()
    change(dataset_id, "open")
    go_on()
    assert deposit.get(dataset_id).realm == "open"
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert list(fsck.check(deep=True)) == []


def test_move_over_file_systems_is_a_verified_copy(settings, tmp_path, archived):
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system here")
    settings.archive_protected = Path(tempfile.mkdtemp(dir=shared))
    try:
        dataset_id = archived()
        change(dataset_id, "controlled")
        go_on()
        assert_moved(dataset_id, "protected")
        assert str(settings.archive_protected) in str(deposit.archived_path(dataset_id))
    finally:
        shutil.rmtree(settings.archive_protected)


def test_second_copy_is_seen_by_fsck(database, archived):
    dataset_id = archived()
    accession = deposit.get(dataset_id).accession
    storage.bag_path("protected", accession).mkdir()
    assert list(fsck.check()) == [f"{accession}: a copy that does not count lies at archive/protected/{accession}"]


def test_area_that_does_not_fit_the_access_is_found(database, archived):
    dataset_id = archived("controlled")
    assert ("hint", "sent_open", 3) in sent(dataset_id)
    session = deposit.upload_session.open(INES.id, realm="protected", area="incoming", name="p.bin", via="api")
    session.write(b"protected")
    session.finish()
    with db.transaction():
        made = datasets.create(
            actor=INES.account, title="T", description="D", species="S", access="controlled", files=[{"name": "p.bin"}]
        )
        datasets.submit(made, actor=INES.account)
        made_id = made.id
    go_on()
    change(made_id, "open")
    assert ("warning", "sent_protected", 1) in sent(made_id)
    assert "1 file came by the protected area and will be open to everybody." in [
        finding.sentence for finding in prechecks.of(deposit.get(made_id))
    ]


def sent(dataset_id: int) -> list[tuple]:
    """Level, code and number of files of each finding."""
    findings = prechecks.of(deposit.get(dataset_id))
    return [(finding.level, finding.message.code, finding.message.values.get("count")) for finding in findings]
