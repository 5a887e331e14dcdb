"""A worker is killed while it looks into uploads: the next one brings it to the same end."""

import pytest
from sqlalchemy import func, select

from portal import clock, db
from portal.domain.files import inspection_results
from portal.jobs.handlers.files import inspect
from portal.jobs.worker import Worker
from portal.maintenance import fsck, reconcile
from portal.models import Member
from tests import depositing as deposit
from tests.inspection import files
from tests.killed import work_until_killed

pytestmark = pytest.mark.usefixtures("receiving")
PACKAGE = files.tar({f"{n:04d}.txt": b"%d" % n for n in range(60)})


def go_on():
    reconcile.run()
    for _ in range(4):
        Worker().drain()
        clock.shift(2_000)
    db.end()


def members_of(name):
    query = select(func.count(), func.count(Member.n.distinct())).where(Member.upload_id == deposit.upload_of(name).id)
    return tuple(db.session.execute(query).one())


@pytest.mark.parametrize("step", ["read:1", "read:2", "members:1", "recorded:1"])
def test_inspection_killed(settings, step):
    deposit.send("a.tar", PACKAGE)
    deposit.send("b.txt", b"text")

    work_until_killed(settings, f"inspect.{step}:kill")
    go_on()

    upload = deposit.upload_of("a.tar")
    assert (upload.inspection, upload.member_count, members_of("a.tar")) == ("inspected", 60, (60, 60))
    assert deposit.upload_of("b.txt").file_type == "TEXT"
    assert list(fsck.check(deep=True)) == []


def test_file_that_kills_its_worker_each_time_keeps_no_other_waiting(monkeypatch):
    deposit.send("bad.txt", b"bad")
    deposit.send("good.txt", b"good")
    look = inspect._look

    def looking(handle, target, progress):
        if target.name == "bad.txt":
            raise SystemExit  # as far as the job is concerned, its worker is gone
        return look(handle, target, progress)

    monkeypatch.setattr(inspect, "_look", looking)
    for _ in range(14):
        try:
            Worker().drain()
        except SystemExit:
            clock.shift(70_000)
        clock.shift(2_000)

    assert deposit.upload_of("good.txt").inspection == "inspected"
    upload = deposit.upload_of("bad.txt")
    assert (upload.inspection, upload.error, upload.detail) == ("unchecked", None, inspection_results.UNINSPECTED)
    assert upload.state == "received"
