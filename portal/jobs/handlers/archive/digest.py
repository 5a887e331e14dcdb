"""Read again what was resumed, or whose digest is not of exactly these bytes."""

from portal import db, states, storage
from portal.domain.archive import archiving
from portal.domain.files import inspection_results
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.domain.uploads import uploads
from portal.jobs.handlers.handler import Progress
from portal.models import Upload


def run(lease: Lease, progress: Progress) -> None:
    if lease.attempt == 1:
        _revive(lease)
    with db.reading():
        upload = db.session.get(Upload, lease.upload_id)
        if upload is None or upload.state not in (states.RECEIVED, states.CHECKING) or upload.sha256 is not None:
            upload = None
    if upload is None:
        with db.transaction():
            job_queue.finish(lease)
        return
    path = storage.area_path(upload.realm, upload.account_id, upload.token)
    recorded = storage.Facts(upload.inode or 0, upload.size, upload.mtime_ns or 0)
    progress.expect(upload.size)
    try:
        md5, sha256, _size = storage.digest(path, progress=progress)
        error = "" if storage.facts(path) == recorded else "file_changed_during_copy"
    except FileNotFoundError:
        error = "upload_file_not_found"
    with db.transaction():
        row = job_queue.check_lease(lease)
        present = db.session.get(Upload, lease.upload_id, populate_existing=True)
        same = present is not None and present.fence == upload.fence and not row.again
        if same and error:
            archiving.fail(upload.id, error)
        elif same:
            uploads.digested(upload.id, md5=md5, sha256=sha256, facts=recorded)
            inspection_results.enqueue_survey()
        job_queue.finish(lease)


def _revive(lease: Lease) -> None:
    """Run again after it gave up: what failed by our fault is looked at once more."""
    with db.reading():
        upload = db.session.get(Upload, lease.upload_id)
        failed = upload is not None and upload.state == states.FAILED
    if failed:
        with db.transaction():
            job_queue.check_lease(lease)
            archiving.revive_upload(db.session.get_one(Upload, lease.upload_id))


def give_up(lease: Lease, error: str) -> None:
    archiving.fail(lease.upload_id or 0, "copy_error", detail=error[:500])
