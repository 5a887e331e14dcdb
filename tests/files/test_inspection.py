"""Uploads are looked into after they arrived: small ones together, large ones by a job each; nothing waits for that."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal import clock, db, storage
from portal.domain.datasets import datasets
from portal.domain.files import files, inspection_results
from portal.jobs.handlers.files import inspect
from portal.models import Dataset, Event, Job, Member, Upload
from tests import depositing as deposit
from tests.conftest import INES

pytestmark = pytest.mark.usefixtures("receiving")
READS = b"@r1\nACGT\n+\nFFFF\n"


def package(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as writer:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            writer.addfile(member, io.BytesIO(data))
    return out.getvalue()


def members_of(name: str) -> list[tuple]:
    upload = deposit.upload_of(name)
    query = select(Member).where(Member.upload_id == upload.id).order_by(Member.n)
    return [(row.n, row.name, row.size, row.md5, row.file_type, row.error) for row in db.session.scalars(query)]


def said(name: str) -> tuple:
    upload = deposit.upload_of(name)
    return upload.inspection, upload.file_type, upload.error


def test_upload_gets_its_type_and_a_package_its_members(run_jobs):
    deposit.send("a.fastq", READS)
    deposit.send("b.tar", package({"x/a.fastq": READS, "b.txt": b"text"}))

    run_jobs()

    assert said("a.fastq") == ("inspected", "FASTQ", None)
    assert said("b.tar") == ("inspected", "TAR", None)
    assert deposit.upload_of("b.tar").member_count == 2
    assert members_of("b.tar") == [
        (1, "x/a.fastq", len(READS), deposit.md5(READS), "FASTQ", None),
        (2, "b.txt", 4, deposit.md5(b"text"), "TEXT", None),
    ]


def test_fault_is_told_with_cause_and_remedy_and_archiving_goes_on(run_jobs):
    whole = gzip.compress(os.urandom(1000))
    dataset_id = deposit.submit({"a.gz": whole[:-20]})

    run_jobs()

    upload = deposit.upload_of("a.gz")
    assert (upload.state, upload.error) == ("archived", "gunzip_error")
    assert "ends in the middle" in upload.detail
    assert "gzip -t" in upload.detail
    assert deposit.states_of(dataset_id) == ["archived"]


def test_duplicate_names_the_earlier_upload_of_the_center(run_jobs):
    deposit.send("a.txt", b"the same")
    first = deposit.upload_of("a.txt").id
    deposit.send("b.txt", b"the same", person=deposit.INES)
    deposit.send("c.txt", b"the same", person=deposit_stranger())

    run_jobs()

    assert [said(name)[2] for name in ("a.txt", "b.txt", "c.txt")] == [None, f"duplicate_to_upload_{first}", None]


def deposit_stranger():
    from tests.conftest import STRANGER

    return STRANGER


def test_large_upload_has_a_job_of_its_own_with_progress(run_jobs, monkeypatch):
    monkeypatch.setattr(inspection_results, "SMALL", 1000)
    deposit.send("large.bin", os.urandom(300_000))
    deposit.send("small.txt", b"text")

    run_jobs()
    clock.shift(10)
    run_jobs()

    assert said("large.bin") == ("inspected", "DATA", None)
    jobs = list(db.session.scalars(select(Job).where(Job.kind == "inspect")))
    assert [(job.state, job.upload_id) for job in jobs] == [("done", deposit.upload_of("large.bin").id)]


def test_survey_ends_once_nothing_is_new(run_jobs):
    deposit.send("a.txt", b"text")
    for _ in range(3):
        run_jobs()
        clock.shift(2_000)

    query = select(Job.state).where(Job.kind == "survey")
    assert list(db.session.scalars(query)) == ["done"]


def test_upload_whose_asking_was_lost_is_found_by_the_round(run_jobs):
    deposit.send("a.txt", b"text")
    with db.transaction():
        db.session.query(Job).delete()
        inspection_results.enqueue_missed_survey()

    run_jobs()

    assert said("a.txt")[0] == "inspected"


def test_resumed_upload_is_looked_into_again(run_jobs):
    whole = package({"a.txt": b"a" * 100, "b.txt": b"b" * 100})
    deposit.send("a.tar", whole[:1024])
    run_jobs()
    assert said("a.tar")[2] == "tar_missing_terminating_blocks"

    again = deposit.upload_session.open(
        deposit.INES.id, realm="open", area="incoming", name="a.tar", via="api", offset=1024
    )
    again.write(whole[1024:])
    again.finish()
    for _ in range(3):
        run_jobs()
        clock.shift(2_000)

    assert said("a.tar") == ("inspected", "TAR", None)
    assert [row[1] for row in members_of("a.tar")] == ["a.txt", "b.txt"]


def meddle(monkeypatch, name: str, act: Callable) -> None:
    """Do something to the bytes while they are read."""
    look = inspect.inspection.inspect

    def looking(handle, **options):
        report = look(handle, **options)
        act(deposit.area_path(name))
        return report

    monkeypatch.setattr(inspect.inspection, "inspect", looking)


def touched(path):
    with path.open("r+b") as writer:
        writer.write(b"X")
    os.utime(path, ns=(1, 1))


def grown(path):
    with path.open("ab") as writer:
        writer.write(b"more")


@pytest.mark.parametrize(
    ("act", "word"),
    [
        (touched, "file_changed_during_copy"),
        (grown, "size_changed_during_copy"),
        (lambda path: path.unlink(), "file_changed_during_copy"),
    ],
)
def test_bytes_that_change_or_go_while_they_are_read_are_told(run_jobs, monkeypatch, act, word):
    deposit.send("a.txt", b"text")
    meddle(monkeypatch, "a.txt", act)

    run_jobs()

    assert said("a.txt")[2] == word


def test_bytes_that_are_gone_are_told(run_jobs):
    deposit.send("a.txt", b"text")
    deposit.area_path("a.txt").unlink()

    run_jobs()

    assert said("a.txt") == ("inspected", "UNKNOWN", "upload_file_not_found")


def test_link_in_the_place_of_the_bytes_is_not_followed(run_jobs, tmp_path):
    deposit.send("a.txt", b"text")
    (tmp_path / "secret").write_bytes(b"text")
    path = deposit.area_path("a.txt")
    path.unlink()
    path.symlink_to(tmp_path / "secret")

    run_jobs()

    assert said("a.txt")[2] is not None


def test_bytes_that_went_to_the_archive_while_they_were_read_are_no_fault(run_jobs, monkeypatch):
    dataset_id = deposit.submit({"a.txt": b"text"})
    target = inspection_results.target(deposit.upload_of("a.txt").id)
    handle = storage.open_read(deposit.area_path("a.txt"))
    monkeypatch.setattr(inspect, "_open", lambda _target: (handle, False))
    run_jobs()
    assert deposit.states_of(dataset_id) == ["archived"]

    assert said("a.txt") == ("inspected", "TEXT", None)
    assert target is not None


def test_result_of_bytes_that_were_replaced_meanwhile_is_dropped(run_jobs, monkeypatch):
    deposit.send("a.txt", b"old text")
    old = deposit.upload_of("a.txt").id
    meddle(monkeypatch, "a.txt", lambda _path: deposit.send("a.txt", b"\0\1\2") if not sent else None)
    sent: list = []
    run_jobs()

    db.end()
    assert db.session.get_one(Upload, old).inspection is None
    assert said("a.txt")[1] in (None, "DATA")


def test_job_that_runs_twice_leaves_the_members_once(run_jobs, monkeypatch):
    monkeypatch.setattr(inspection_results, "SMALL", 0)
    monkeypatch.setattr(inspect, "MEMBERS_AT_ONCE", 2)
    deposit.send("a.tar", package({f"{n}.txt": b"%d" % n for n in range(7)}))
    for _ in range(2):
        run_jobs()
        clock.shift(2_000)
        with db.transaction():
            db.session.query(Job).delete()
            db.session.query(Upload).update({"inspection": None})
            inspection_results.enqueue_missed_survey()
    run_jobs()
    clock.shift(10)
    run_jobs()

    assert [row[0] for row in members_of("a.tar")] == list(range(1, 8))


def test_inspection_is_an_event(run_jobs):
    deposit.send("a.txt", b"text")
    run_jobs()

    (event,) = db.session.scalars(select(Event).where(Event.action == "inspect"))
    assert event.after == {"file_type": "TEXT", "error": None, "members": 0}


def counted(dataset_id: int) -> list[tuple]:
    return [(file.samples, file.unit) for file in deposit.files_of(dataset_id)]


def draft(*rows: dict) -> int:
    with db.transaction():
        return datasets.create(actor=INES.account, title="T", files=list(rows)).id


def look_again(run_jobs) -> None:
    """Arrivals within a second ask for one survey; what they did not ask for is planned."""
    with db.transaction():
        inspection_results.enqueue_missed_survey()
    deposit.run_until_idle(run_jobs, clock)


def test_number_of_files_is_filled_in_from_a_package_and_never_over_what_was_typed(run_jobs):
    made = draft({"name": "a.tar"}, {"name": "b.tar", "samples": 7}, {"name": "c.txt"}, {"name": "cut.tar"})
    for name in ("a.tar", "b.tar"):
        deposit.send(name, package({"x/a.fastq": READS, f"{name}.txt": b"text", "c.csv": b"1,2\n"}))
    deposit.send("c.txt", b"one")
    deposit.send("cut.tar", package({"a": b"1" * 4000, "b": b"2" * 4000})[:7000])

    run_jobs()

    assert counted(made) == [(3, "files"), (7, "samples"), (None, "samples"), (None, "samples")]
    event = db.session.scalars(select(Event).where(Event.action == "edit_file")).one()
    assert (event.actor_id, event.before, event.after) == (
        None,
        {"samples": None, "unit": "samples"},
        {"samples": 3, "unit": "files"},
    )

    late = draft({"name": "deep/z.tar"}, {"name": "deep/y.tar"})
    deposit.send("deep/z.tar", package({"one": b"1"}))
    look_again(run_jobs)
    early = draft()
    deposit.send("later.tar", package({"one": b"11", "two": b"2"}))
    look_again(run_jobs)
    with db.transaction():
        files.add(db.session.get_one(Dataset, early), [{"name": "later.tar"}], actor=INES.account)
    assert counted(late) == [(1, "files"), (None, "samples")]
    assert counted(early) == [(2, "files")]
