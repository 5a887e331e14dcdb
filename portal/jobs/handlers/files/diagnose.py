"""Why a digest differs from the declared one, as the bytes tell; then the mail that names cause and remedy."""

from sqlalchemy import select

from portal import db, states, storage
from portal.domain.files import diagnosis
from portal.domain.shared import job_queue, notifications
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Progress
from portal.models import Dataset, File


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
            _tell(present)
        job_queue.finish(lease)


def _failed(lease: Lease) -> File | None:
    query = select(File).where(
        File.upload_id == lease.upload_id,
        File.dataset_id == lease.dataset_id,
        File.state == states.FAILED,
        File.error == "md5_mismatch",
    )
    return db.session.scalars(query).first()


def _tell(file: File) -> None:
    dataset = db.session.get_one(Dataset, file.dataset_id)
    assert file.upload is not None
    db.session.flush()
    notifications.send(
        f"md5:{file.id}:{file.upload_id}:{file.declared_md5}",
        to=dataset.account.email,
        template="md5_failed",
        name=dataset.account.name,
        accession=dataset.accession or "",
        title=dataset.title,
        file=file.name,
        declared=file.declared_md5,
        received=file.upload.md5,
        cause=file.comment,
        url=f"/deposit/{dataset.id}",
    )
