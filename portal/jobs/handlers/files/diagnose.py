"""Why a digest differs from the declared one, as the bytes tell; then one mail for all such files of a dataset, which
names cause and remedy."""

import hashlib

from sqlalchemy import func, select

from portal import clock, db, states, storage
from portal.domain.accounts import editors
from portal.domain.files import diagnosis
from portal.domain.shared import job_queue, notifications
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Again, Progress
from portal.models import Dataset, File, Job, Mail

SOON, PAUSE = 2_000, 10 * clock.MINUTE
LISTED = 100  # the page names the rest


def run(lease: Lease, progress: Progress) -> None:
    with db.reading():
        file = _failed(lease)
        upload = file.upload if file else None
    finding = None
    if file is not None and upload is not None and file.declared_md5:
        progress.expect(upload.size)
        path = storage.area_path(upload.realm, upload.account_id, upload.token)
        try:
            finding = diagnosis.deep(path, file.declared_md5, upload.name)
        except FileNotFoundError:
            finding = None
    with db.transaction():
        job_queue.check_lease(lease)
        present = _failed(lease)
        if file is not None and present is not None and present.declared_md5 == file.declared_md5:
            present.comment = str(finding or present.comment)
            _enqueue_mail(present.dataset_id)
        job_queue.finish(lease)


def _failed(lease: Lease) -> File | None:
    query = select(File).where(
        File.upload_id == lease.upload_id,
        File.dataset_id == lease.dataset_id,
        File.state == states.FAILED,
        File.error == "md5_mismatch",
    )
    return db.session.scalars(query).first()


def give_up(lease: Lease, _error: str) -> None:
    """The mail says no more than that the digests differ."""
    _enqueue_mail(lease.dataset_id or 0)


def _enqueue_mail(dataset_id: int) -> None:
    """After the other diagnoses of the dataset, whose urgency is higher; soon after a mail, the next one waits."""
    newest = select(func.max(Mail.created_at)).where(Mail.key >= f"md5:{dataset_id}:", Mail.key < f"md5:{dataset_id};")
    last = db.session.scalar(newest)
    rest = max(0, last + PAUSE - clock.now()) if last else 0
    job_queue.enqueue("mismatches", dataset_id=dataset_id, priority=6, delay=rest)


def mail(lease: Lease, progress: Progress) -> None:
    """One mail that names every file of a dataset whose digest differs, when all of them have been looked into."""
    progress.check()
    with db.transaction():
        job_queue.check_lease(lease)
        is_open = Job.state.in_((states.QUEUED, states.RUNNING))
        looking = select(Job.id).where(Job.kind == "diagnose", Job.dataset_id == lease.dataset_id, is_open)
        waits = db.session.scalar(looking.limit(1)) is not None
        if not waits:
            _tell(lease.dataset_id or 0)
            job_queue.finish(lease)
    if waits:
        raise Again(SOON)


def _tell(dataset_id: int) -> None:
    """Files that were told together once are not told together again."""
    query = select(File).where(
        File.dataset_id == dataset_id,
        File.state == states.FAILED,
        File.error == "md5_mismatch",
        File.upload_id.is_not(None),
    )
    files = list(db.session.scalars(query.order_by(File.n)))
    dataset = db.session.get(Dataset, dataset_id)
    if dataset is None or not files:
        return
    facts = " ".join(f"{file.id}:{file.upload_id}:{file.declared_md5}" for file in files)
    listed = [
        {
            "name": file.name,
            "declared": file.declared_md5,
            "received": file.upload.md5 if file.upload else "",
            "cause": file.comment,
        }
        for file in files[:LISTED]
    ]
    for key, person in editors.mailed(dataset, f"md5:{dataset_id}:{hashlib.sha256(facts.encode()).hexdigest()[:32]}"):
        notifications.send(
            key,
            to=person.email,
            template="md5_failed",
            name=person.name,
            accession=dataset.accession or "",
            title=dataset.title,
            files=listed,
            count=len(files),
            url=f"/deposit/{dataset_id}",
        )
