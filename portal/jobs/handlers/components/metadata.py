"""Metadata in the background: components follow their dataset, and XML dropped by FTP is read."""

from portal import clock, db, storage
from portal.domain.components import from_form, metadata_objects, submissions, xml_documents
from portal.domain.components.submission_batch import Document
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.domain.uploads import ftp_drops
from portal.jobs.handlers.handler import Again, Progress
from portal.models import Account, Dataset, Upload


def follow(lease: Lease, progress: Progress) -> None:
    """What components say and how they stand is said anew after an edit, and after files were archived, removed or
    released. The texts are made between two short transactions."""
    dataset = db.session.get(Dataset, lease.dataset_id)
    if dataset is not None and dataset.accession:
        _mirror(from_form.make_plan(dataset), lease, progress)
    else:
        with db.transaction():
            job_queue.finish(lease)


def _mirror(plan: from_form.Plan, lease: Lease, progress: Progress) -> None:
    with db.transaction():
        job_queue.check_lease(lease)
        from_form.reserve(plan)
    from_form.compose(plan)
    for part in from_form.portions(plan):
        with db.transaction():
            job_queue.check_lease(lease)
            from_form.write(plan, part)
        progress.check()
    with db.transaction():
        job_queue.check_lease(lease)
        from_form.close(plan)
        job_queue.finish(lease)


def drop(lease: Lease, progress: Progress) -> None:
    """Read the metadata of one folder together, once nothing more arrives there; lay the RECEIPT beside it."""
    upload = db.session.get(Upload, lease.upload_id)
    uploads = ftp_drops.waiting(upload) if upload is not None and upload.account.is_active else []
    if uploads and ftp_drops.rests_at(uploads) > clock.now():
        raise Again(max(1000, ftp_drops.rests_at(uploads) - clock.now()))
    documents = _documents(uploads, progress)
    if documents:
        _take(upload.account if upload else None, documents)
    with db.transaction():
        job_queue.finish(lease)


def _documents(uploads: list[Upload], progress: Progress) -> list[tuple[Upload, Document]]:
    """Those that begin as metadata does."""
    documents = []
    for upload in uploads:
        progress.check()
        path = storage.area_path(upload.realm, upload.account_id, upload.token)
        if storage.facts(path) is None:
            continue
        data = path.read_bytes()
        if metadata_objects.is_known(xml_documents.root_of(data)):
            documents.append((upload, Document(upload.base, data)))
    return documents


def _take(account: Account | None, documents: list[tuple[Upload, Document]]) -> None:
    assert account is not None
    ids = tuple(upload.id for upload, _document in documents)
    first = documents[0][0]
    outcome = submissions.take(
        [document for _upload, document in documents],
        actor=account,
        via="ftp",
        uploads=ids,
        protect=first.realm == "protected",
    )
    if outcome.delivery_id is None:  # VALIDATE stores nothing, but is answered once
        outcome = submissions.answered(outcome, via="ftp", uploads=ids)
    assert outcome.delivery_id is not None
    laid = ftp_drops.lay(first, outcome.receipt)
    with db.transaction():
        ftp_drops.put(first, outcome.delivery_id, laid)
