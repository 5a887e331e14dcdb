"""Every archived byte is read again in time; damage is told, blocks release, and a silent disk is no damage."""

import errno

import pytest
from sqlalchemy import select

from portal import clock, db, storage
from portal.config import settings
from portal.domain.archive import fixity
from portal.domain.datasets import releases
from portal.jobs.handlers.archive import fixity as job
from portal.jobs.handlers.handler import Progress
from portal.models import File, Job, Mail
from tests import depositing as deposit

pytestmark = pytest.mark.usefixtures("receiving")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(job, "PAUSE", 0)


@pytest.fixture
def archived(once, run_jobs):
    """A dataset of two archived files, its bag written, nothing read yet."""

    def make():
        dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"})
        run_jobs()
        clock.shift(clock.MINUTE)
        run_jobs()
        return dataset_id

    return once(make)


def read(dataset_id, run_jobs):
    with db.transaction():
        fixity.enqueue(dataset_id)
    run_jobs()
    return [file.fixity for file in deposit.files_of(dataset_id)]


def damage(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


def test_good_files_are_found_good(archived, run_jobs):
    assert read(archived, run_jobs) == ["ok", "ok"]


@pytest.mark.parametrize("data", [b"onf", b"on", b"one more"], ids=["flipped bit", "shorter", "longer"])
def test_damage_is_told_to_curators_and_blocks_release(archived, run_jobs, data):
    damage(deposit.archived_path(archived, 1), data)

    assert read(archived, run_jobs) == ["bad", "ok"]

    db.end()
    mails = list(db.session.scalars(select(Mail).where(Mail.to == deposit.RUTH.email)))
    assert [mail for mail in mails if "Damaged" in mail.subject and "a.bin" in mail.body]
    deposit.approve(archived)
    run_jobs()
    assert "release_files_damaged" in [message.code for message in releases.obstacles(deposit.get(archived))]
    deposit.ask_release(archived)
    run_jobs()
    assert deposit.get(archived).state == "approved"


def test_missing_file_is_bad(archived, run_jobs):
    deposit.archived_path(archived, 2).unlink()

    assert read(archived, run_jobs) == ["ok", "bad"]


def test_disk_that_does_not_answer_is_unknown_not_bad(archived, run_jobs, monkeypatch):
    def silent(*_words, **_more):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(storage, "digest", silent)

    assert read(archived, run_jobs) == ["unknown", "unknown"]
    assert not db.session.scalar(select(Mail).where(Mail.subject.like("Damaged%")))


def readings(monkeypatch, *before):
    """Let the first readings of a.bin come out as told; the list of all its readings."""
    honest, seen = storage.digest, []

    def digest(path, **more):
        if path.name != "a.bin":
            return honest(path, **more)
        seen.append(path)
        told = before[len(seen) - 1] if len(seen) <= len(before) else None
        if isinstance(told, Exception):
            raise told
        return told or honest(path, **more)

    monkeypatch.setattr(storage, "digest", digest)
    return seen


WRONG, GONE = ("0" * 32, "0" * 64, 3), FileNotFoundError()
SILENT = OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    "before",
    [[WRONG], [WRONG] * 4, [GONE] * 4, [SILENT] * 4, [WRONG, SILENT, GONE]],
    ids=["once", "four times", "missing", "silent", "all of it"],
)
def test_difference_that_passes_is_no_damage(archived, run_jobs, monkeypatch, before):
    seen = readings(monkeypatch, *before)

    assert read(archived, run_jobs) == ["ok", "ok"]

    assert len(seen) == len(before) + 1
    assert not db.session.scalar(select(Mail).where(Mail.subject.like("Damaged%")))


def test_file_is_bad_only_after_five_readings_that_all_differ(archived, run_jobs, monkeypatch):
    damage(deposit.archived_path(archived, 1), b"onf")
    seen = readings(monkeypatch)

    assert read(archived, run_jobs) == ["bad", "ok"]
    assert len(seen) == 5


def test_difference_beside_a_silent_disk_is_unknown(archived, monkeypatch):
    readings(monkeypatch, WRONG, SILENT, WRONG, WRONG, WRONG)

    verdicts = job.judge(fixity.targets(deposit.get(archived)), Progress())

    assert [verdict for _target, verdict, _why in verdicts] == ["unknown", "ok"]


def test_repaired_file_is_good_again(archived, run_jobs):
    path = deposit.archived_path(archived, 1)
    damage(path, b"onf")
    assert read(archived, run_jobs) == ["bad", "ok"]
    damage(path, b"one")

    counts = job.read_all(deposit.get(archived), lambda *_: None)

    assert counts == {"ok": 2, "bad": 0, "unknown": 0}
    assert {file.fixity for file in deposit.files_of(archived)} == {"ok"}


def test_plan_reads_what_is_new_first_and_everything_in_time(archived, run_jobs):
    assert read(archived, run_jobs) == ["ok", "ok"]
    younger = deposit.submit({"c.bin": b"three"})
    run_jobs()

    with db.transaction():
        fixity.plan()
    wanted = select(Job.dataset_id).where(Job.kind == "fixity", Job.state == "queued")
    assert list(db.session.scalars(wanted)) == [younger]
    run_jobs()

    start = clock.now()
    while clock.now() < start + settings().fixity_days * clock.DAY:
        clock.shift(clock.HOUR * 6)
        with db.transaction():
            fixity.plan()
        run_jobs()
    oldest = min(db.session.scalars(select(File.fixity_at)))
    assert clock.now() - oldest < settings().fixity_days * clock.DAY
    assert oldest > start


def opened_after(days: float, archived, run_jobs) -> list[str | None]:
    """The verdicts after a release that is asked for so long after a good reading, behind which the bytes changed."""
    deposit.approve(archived)
    assert read(archived, run_jobs) == ["ok", "ok"]
    damage(deposit.archived_path(archived, 1), b"onf")
    clock.shift(int(days * clock.DAY))
    deposit.ask_release(archived)
    deposit.run_until_idle(run_jobs, clock)
    return [file.fixity for file in deposit.files_of(archived)]


def test_release_reads_what_was_never_read(archived, run_jobs):
    deposit.approve(archived)
    run_jobs()
    damage(deposit.archived_path(archived, 1), b"onf")

    deposit.ask_release(archived)
    run_jobs()

    assert [file.fixity for file in deposit.files_of(archived)] == ["bad", "ok"]
    assert deposit.get(archived).state == "approved"


def test_release_reads_again_what_was_read_more_than_seven_days_ago(archived, run_jobs):
    assert opened_after(7.01, archived, run_jobs) == ["bad", "ok"]
    assert deposit.get(archived).state == "approved"


def test_release_believes_a_reading_of_this_week(archived, run_jobs):
    assert opened_after(6.9, archived, run_jobs) == ["ok", "ok"]
    assert deposit.get(archived).state == "released"


def test_reading_without_a_verdict_opens_nothing(archived, run_jobs, monkeypatch):
    deposit.approve(archived)
    readings(monkeypatch, *[SILENT] * 50)
    assert read(archived, run_jobs) == ["unknown", "ok"]
    assert releases.needs_fixity(deposit.get(archived))


def test_release_opens_once_all_is_read_and_bagged(archived, run_jobs):
    deposit.approve(archived)
    deposit.ask_release(archived)

    run_jobs()
    clock.shift(clock.MINUTE)
    run_jobs()

    dataset = deposit.get(archived)
    assert dataset.state == "released"
    assert deposit.is_valid_bag(deposit.bag_of(archived))
    assert "State: released" in (deposit.bag_of(archived) / "bag-info.txt").read_text()
