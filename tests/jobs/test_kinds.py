"""What the jobs of each kind do: read again, diagnose, expire, cut, release by date."""

import os

import pytest
from sqlalchemy import select, update

from portal import clock, db
from portal.config import settings
from portal.domain.files import diagnosis
from portal.domain.shared import job_queue
from portal.domain.uploads import expiry, uploads
from portal.jobs import periodic_tasks
from portal.models import Job, Mail, Upload
from tests import depositing as deposit

pytestmark = pytest.mark.usefixtures("receiving")


def resume(name, first, rest):
    """Send the start, cut it, and go on where it ended."""
    session = deposit.upload_session.open(deposit.INES.id, realm="open", area="incoming", name=name, via="api")
    session.write(first)
    session.abort("cut")
    again = deposit.upload_session.open(
        deposit.INES.id, realm="open", area="incoming", name=name, via="api", offset=len(first)
    )
    again.write(rest)
    return again.finish()


def test_resumed_upload_is_read_again(run_jobs):
    first, rest = os.urandom(300_000), os.urandom(200_000)
    assert resume("a.bin", first, rest).md5 is None

    run_jobs()

    assert deposit.upload_of("a.bin").md5 == deposit.md5(first + rest)


def test_resumed_upload_of_a_submitted_dataset_is_archived(run_jobs):
    with db.transaction():
        dataset = deposit.datasets.create(
            actor=deposit.INES.account, title="t", description="d", species="s", files=[{"name": "a.bin"}]
        )
        deposit.datasets.submit(dataset, actor=deposit.INES.account)
        dataset_id = dataset.id
    resume("a.bin", b"a" * 300_000, b"b" * 10)

    run_jobs()

    assert deposit.states_of(dataset_id) == ["archived"]


def test_bytes_that_vanish_before_they_are_read_are_told(run_jobs):
    resume("a.bin", b"a" * 300_000, b"b" * 10)
    deposit.area_path("a.bin").unlink()

    run_jobs()

    assert (deposit.upload_of("a.bin").state, deposit.upload_of("a.bin").error) == ("failed", "upload_file_not_found")


def test_mismatch_is_diagnosed_and_mailed_once(run_jobs):
    text = b"one\ntwo\n"
    sent = text.replace(b"\n", b"\r\n")
    dataset_id = deposit.submit({"a.txt": sent}, declared={"a.txt": deposit.md5(text)})

    run_jobs()
    run_jobs()

    (file,) = deposit.files_of(dataset_id)
    assert file.comment == str(diagnosis.ASCII_MODE)
    mails = list(db.session.scalars(select(Mail).where(Mail.subject.like("MD5 Checked Failed%"))))
    assert len(mails) == 1
    assert mails[0].to == deposit.INES.email
    named = ("a.txt", "ASCII mode", deposit.md5(text), deposit.md5(sent), "http")
    assert [words for words in named if words not in mails[0].body] == []


def test_thirty_mismatches_of_one_submit_are_one_mail(run_jobs):
    wrong = {f"{n:02}.txt": f"{n:032x}" for n in range(30)}
    dataset_id = deposit.submit({name: name.encode() for name in (*wrong, "good.txt")}, declared=wrong)
    run_jobs()
    (mail,) = db.session.scalars(select(Mail).where(Mail.subject.like("MD5 Checked Failed%")))
    assert mail.subject == f"MD5 Checked Failed: 30 files of {deposit.get(dataset_id).accession}"
    assert [name for name, declared in wrong.items() if name not in mail.body or declared not in mail.body] == []
    assert "good.txt" not in mail.body

    # What fails later is told in a later mail, which comes after a pause.
    for name in ("01.txt", "02.txt"):
        deposit.send(name, b"other")
    run_jobs()
    query = select(Mail.subject).where(Mail.subject.like("MD5 Checked Failed%")).order_by(Mail.id)
    assert len(list(db.session.scalars(query))) == 1
    clock.shift(10 * clock.MINUTE)
    run_jobs()
    assert [subject.split(":")[1].split(" of")[0] for subject in db.session.scalars(query)] == [" 30 files"] * 2


def test_mail_on_mismatches_goes_out_when_no_cause_can_be_found(run_jobs, monkeypatch):
    def refuse(*_args):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(diagnosis, "deep", refuse)
    deposit.submit({"a.txt": b"one"}, declared={"a.txt": "0" * 32})
    for _ in range(6):
        run_jobs()
        clock.shift(clock.HOUR)
    run_jobs()
    (mail,) = db.session.scalars(select(Mail).where(Mail.subject.like("MD5 Checked Failed%")))
    assert "0" * 32 in mail.body


def test_unused_uploads_expire_with_their_bytes(run_jobs):
    deposit.send("old.bin", b"old")
    path = deposit.area_path("old.bin")
    clock.shift((settings().received_days + 1) * clock.DAY)
    with db.transaction():
        expiry.warn()
    clock.shift(8 * clock.DAY)
    deposit.send("new.bin", b"new")
    with db.transaction():
        periodic_tasks.enqueue_expiry()

    run_jobs()

    assert deposit.upload_of("old.bin").state == "expired"
    assert not path.exists()
    assert deposit.upload_of("new.bin").state == "received"


def test_reception_of_a_killed_process_is_cut(run_jobs):
    deposit.send("a.bin", b"half of it")
    path = deposit.area_path("a.bin")
    with db.transaction():
        db.session.execute(update(Upload).values(state="receiving", size=0))
        periodic_tasks.enqueue_cuts()
    run_jobs()
    assert deposit.upload_of("a.bin").state == "receiving"

    clock.shift(uploads.SILENT_MS + 1)
    with db.transaction():
        periodic_tasks.enqueue_cuts()
    run_jobs()

    found = deposit.upload_of("a.bin")
    assert (found.state, found.size) == ("incomplete", len(b"half of it"))
    assert path.exists()


def test_release_date_opens_the_dataset(run_jobs):
    day = clock.day_of(clock.now() + 3 * clock.DAY, "UTC")
    dataset_id = deposit.submit({"a.bin": b"one"}, release_date=day.isoformat())
    run_jobs()
    deposit.approve(dataset_id)
    clock.shift(clock.midnight(day, "UTC") - clock.now() - 1_000)
    with db.transaction():
        periodic_tasks.enqueue_releases()
    run_jobs()
    assert deposit.get(dataset_id).state == "approved"

    clock.shift(1_001)
    for _ in range(3):
        with db.transaction():
            periodic_tasks.enqueue_releases()
        run_jobs()
        clock.shift(clock.MINUTE)

    assert deposit.get(dataset_id).state == "released"


def test_overdue_dataset_that_is_not_ready_owes_one_job_only(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"}, release_date="2020-01-01")
    run_jobs()
    with db.transaction():
        deposit.files.add(
            db.session.get_one(deposit.Dataset, dataset_id), [{"name": "later.bin"}], actor=deposit.INES.account
        )
    deposit.approve(dataset_id)
    for _ in range(20):
        with db.transaction():
            periodic_tasks.enqueue_releases()
        run_jobs()
        clock.shift(clock.MINUTE)

    found = list(db.session.scalars(select(Job).where(Job.kind == "release")))
    assert [(job.state, job.attempt) for job in found] == [("queued", 0)]
    assert "1 of 2 files" in found[0].error
    deposit.send("later.bin", b"two")
    for _ in range(3):
        run_jobs()
        clock.shift(clock.MINUTE)
    assert deposit.get(dataset_id).state == "released"


def test_old_rows_are_swept(run_jobs):
    with db.transaction():
        job_queue.enqueue("prune", key="prune")
    run_jobs()
    clock.shift(31 * clock.DAY)
    with db.transaction():
        job_queue.enqueue("prune", key="prune")
    run_jobs()

    assert len(list(db.session.scalars(select(Job)))) == 1
