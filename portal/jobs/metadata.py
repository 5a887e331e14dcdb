"""Metadata in the background: components follow their dataset, and XML dropped by FTP is read."""

from portal import clock, db, storage
from portal.domain import drops, jobs, markup, mirrored, objects, submissions
from portal.domain.jobs import Hold
from portal.domain.parcels import Document
from portal.jobs.work import Again, Progress
from portal.models import Account, Dataset, Upload


def follow(hold: Hold, progress: Progress) -> None:
    """What components say and how they stand is said anew after an edit, and after files were archived, removed or
    released. The texts are made between two short transactions."""
    dataset = db.session.get(Dataset, hold.dataset_id)
    if dataset is not None and dataset.accession:
        _mirror(mirrored.plan(dataset), hold, progress)
    else:
        with db.transaction():
            jobs.finish(hold)


def _mirror(plan: mirrored.Plan, hold: Hold, progress: Progress) -> None:
    with db.transaction():
        jobs.check_hold(hold)
        mirrored.reserve(plan)
    mirrored.compose(plan)
    for part in mirrored.portions(plan):
        with db.transaction():
            jobs.check_hold(hold)
            mirrored.write(plan, part)
        progress.check()
    with db.transaction():
        jobs.check_hold(hold)
        mirrored.close(plan)
        jobs.finish(hold)


def drop(hold: Hold, progress: Progress) -> None:
    """Read the metadata of one folder together, once nothing more arrives there; lay the RECEIPT beside it."""
    upload = db.session.get(Upload, hold.upload_id)
    found = drops.waiting(upload) if upload is not None and upload.account.is_active else []
    if found and drops.rests_at(found) > clock.now():
        raise Again(max(1000, drops.rests_at(found) - clock.now()))
    known = _documents(found, progress)
    if known:
        _take(upload.account if upload else None, known)
    with db.transaction():
        jobs.finish(hold)


def _documents(found: list[Upload], progress: Progress) -> list[tuple[Upload, Document]]:
    """Those that begin as metadata does."""
    documents = []
    for upload in found:
        progress.check()
        path = storage.area_path(upload.realm, upload.account_id, upload.token)
        if storage.facts(path) is None:
            continue
        data = path.read_bytes()
        if objects.is_known(markup.root_of(data)):
            documents.append((upload, Document(upload.base, data)))
    return documents


def _take(account: Account | None, known: list[tuple[Upload, Document]]) -> None:
    assert account is not None
    ids = tuple(upload.id for upload, _document in known)
    first = known[0][0]
    outcome = submissions.take(
        [document for _upload, document in known],
        actor=account,
        via="ftp",
        uploads=ids,
        protect=first.realm == "protected",
    )
    if outcome.delivery_id is None:  # VALIDATE stores nothing, but is answered once
        outcome = submissions.answered(outcome, via="ftp", uploads=ids)
    assert outcome.delivery_id is not None
    laid = drops.lay(first, outcome.receipt)
    with db.transaction():
        drops.put(first, outcome.delivery_id, laid)
