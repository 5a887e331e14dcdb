"""Why a digest differs: the bytes are read for what the records cannot tell, then the submitter is told, once."""

from collections.abc import Callable

from sqlalchemy import select

from portal import db, states
from portal.domain import areas, diagnosis, jobs, notices
from portal.models import Dataset, File


def diagnose(hold: jobs.Hold, progress: Callable[[int, int], None]) -> None:
    """Read the bytes outside any transaction; write the cause only if the file still stands as it did."""
    file = _failed(hold)
    found = ""
    if file is not None and file.upload is not None and file.declared_md5:
        path, declared, name = areas.bytes_of(file.upload), file.declared_md5, file.name
        db.end()
        if path.exists():
            found = diagnosis.deep(path, declared, name)
    with db.transaction():
        jobs.finish(hold)
        file = _failed(hold)
        if file is None:
            return
        file.comment = found or file.comment or diagnosis.quick(file)
        _tell(file)


def _failed(hold: jobs.Hold) -> File | None:
    mismatch = (File.state == states.FAILED, File.error == "md5_mismatch")
    return db.session.scalar(select(File).where(File.upload_id == hold.upload_id, *mismatch))


def _tell(file: File) -> None:
    dataset = db.session.get(Dataset, file.dataset_id)
    assert dataset is not None
    notices.send(
        f"md5:{file.id}:{file.upload_id}:{file.declared_md5}", to=dataset.account.email, template="md5_failed",
        name=dataset.account.name, accession=dataset.accession, title=dataset.title, file=file.name,
        cause=file.comment, declared=file.declared_md5, received=file.upload.md5 if file.upload else "",
        url=f"/deposit/{dataset.id}")  # fmt: skip


HANDLERS = {"diagnose": diagnose}
