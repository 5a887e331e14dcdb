"""A real worker process is killed at each named step; the next one brings it to the same end: one file, one row."""

import hashlib
import os
from collections import Counter

import pytest
from sqlalchemy import select

from portal import clock, db, faults
from portal.domain.datasets import releases
from portal.jobs.worker import Worker
from portal.maintenance import fsck, reconcile
from portal.models import Event, Job
from tests import depositing as deposit
from tests.killed import work_until_killed

pytestmark = pytest.mark.usefixtures("receiving")
CONTENTS = {"a.bin": b"one", "run1/b.bin": b"two" * 1000, "c.bin": os.urandom(300_000)}


def go_on():
    """What `omix up` does next, then another worker."""
    reconcile.run()
    for _ in range(3):
        Worker().drain()
        clock.shift(clock.MINUTE)


def assert_whole(dataset_id, contents):
    found = deposit.files_of(dataset_id)
    assert [(file.name, file.state) for file in found] == [(name, "archived") for name in contents]
    for file, data in zip(found, contents.values(), strict=True):
        path = deposit.archived_path(dataset_id, file.n)
        assert path.read_bytes() == data
        assert file.sha256 == hashlib.sha256(data).hexdigest()
        assert path.stat().st_nlink == 1
    lying = [path for path in (deposit.bag_of(dataset_id) / "data").rglob("*") if path.is_file()]
    assert len(lying) == len(contents)
    told = Counter(db.session.scalars(select(Event.file_id).where(Event.action == "archive")))
    assert set(told.values()) == {1}
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert list(fsck.check(deep=True)) == []


ARCHIVE_STEPS = ["taken:1", "linked:1", "linked:3", "synced:1", "recorded:1", "committed:1", "removed:1", "removed:3"]


@pytest.mark.parametrize("step", ARCHIVE_STEPS)
def test_archive_killed(settings, step):
    dataset_id = deposit.submit(CONTENTS)

    work_until_killed(settings, f"archive.{step}:kill")
    go_on()

    assert_whole(dataset_id, CONTENTS)


def test_archive_killed_again_and_again(settings):
    dataset_id = deposit.submit(CONTENTS)
    for step in ("linked:2", "synced:1", "recorded:1", "committed:1"):
        work_until_killed(settings, f"archive.{step}:kill")
        reconcile.run()
    go_on()

    assert_whole(dataset_id, CONTENTS)


@pytest.mark.parametrize("step", ["written:1", "written:2", "written:6", "written:8", "recorded:1", "cleared:1"])
def test_bag_killed(settings, step):
    dataset_id = deposit.submit({**CONTENTS, "removed.bin": b"goes"})
    go_on()
    deposit.remove_file(dataset_id, 4)
    path = deposit.archived_path(dataset_id, 4)
    assert path.exists()

    work_until_killed(settings, f"bag.{step}:kill")
    named = (deposit.bag_of(dataset_id) / "manifest-sha256.txt").read_text().split()[1::2]
    assert all((deposit.bag_of(dataset_id) / name).exists() for name in named)
    go_on()

    assert not path.exists()
    kept = [file for file in deposit.files_of(dataset_id) if file.state != "removed"]
    assert [file.name for file in kept] == list(CONTENTS)
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert list(fsck.check(deep=True)) == []


def test_digest_killed(settings):
    first, rest = os.urandom(5 << 20), os.urandom(1000)
    place = {"realm": "open", "area": "incoming", "name": "a.bin", "via": "api"}
    cut = deposit.upload_session.open(deposit.INES.id, **place)
    cut.write(first)
    cut.abort("cut")
    again = deposit.upload_session.open(deposit.INES.id, offset=len(first), **place)
    again.write(rest)
    again.finish()

    work_until_killed(settings, "digest.block:2:kill")
    go_on()

    assert deposit.upload_of("a.bin").md5 == deposit.md5(first + rest)
    assert list(fsck.check(deep=True)) == []


def test_withdraw_killed(settings):
    dataset_id = deposit.submit(CONTENTS)
    go_on()
    with db.transaction():
        dataset = db.session.get_one(deposit.Dataset, dataset_id)
        deposit.datasets.recall(dataset, actor=deposit.INES.account)
        releases.withdraw(dataset, actor=deposit.RUTH.account, note="A patient asked.")

    work_until_killed(settings, "withdraw.recorded:1:kill")
    go_on()

    assert not [path for path in (deposit.bag_of(dataset_id) / "data").rglob("*") if path.is_file()]
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert list(fsck.check(deep=True)) == []


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        ("archive.linked:2:enospc", "waiting for space"),
        ("archive.synced:1:eio", "fault at archive.synced"),
        ("bag.written:3:enospc", "waiting for space"),
        ("bag.written:7:eio", "fault at bag.written"),
    ],
)
def test_disk_that_refuses_once_is_no_loss(settings, monkeypatch, fault, ends):
    name, nth, act = fault.split(":")
    dataset_id = deposit.submit(CONTENTS)
    monkeypatch.setattr("portal.faults._armed", {name: faults.Armed(int(nth), act)})
    Worker().drain()
    if name.startswith("bag"):
        clock.shift(3_000)
        Worker().drain()
    assert ends in list(db.session.scalars(select(Job.error)))

    clock.shift(2 * clock.MINUTE)
    go_on()

    assert_whole(dataset_id, CONTENTS)
