"""A withdrawn dataset: every copy of its bytes is removed, a tombstone stays."""

import shutil
from collections.abc import Callable

from sqlalchemy import select

from portal import db, states, storage
from portal.domain import history, jobs, uploads
from portal.models import Dataset, File, Upload


def withdraw(hold: jobs.Hold, progress: Callable[[int, int], None]) -> None:
    """Bytes first, rows after: killed between, the next run removes what is left and says so once."""
    dataset = db.session.get(Dataset, hold.dataset_id)
    assert dataset is not None
    withdrawn, accession = dataset.state == states.WITHDRAWN, dataset.accession
    db.end()
    if withdrawn and accession:
        for realm in ("open", "protected"):
            shutil.rmtree(storage.bag_path(realm, accession), ignore_errors=True)
            _refuse_leftovers(realm, accession)
    with db.transaction():
        jobs.finish(hold)
        dataset = db.session.get(Dataset, hold.dataset_id)
        assert dataset is not None
        if dataset.state == states.WITHDRAWN:
            _strike(dataset)


def _refuse_leftovers(realm: str, accession: str) -> None:
    path = storage.bag_path(realm, accession)
    if path.exists():
        raise OSError(f"{path.name} could not be removed whole")


def _strike(dataset: Dataset) -> None:
    """The files become part of the tombstone; what still lay in the area for them goes too."""
    for file in db.session.scalars(select(File).where(File.dataset_id == dataset.id)):
        upload = db.session.get(Upload, file.upload_id) if file.upload_id else None
        file.state, file.archive_path, file.fixity = states.REMOVED, None, None
        file.upload_id, file.upload = None, None
        db.session.flush()
        if upload is not None and upload.state != states.OBSOLETE:
            uploads.retire(upload)
    dataset.bag_dirty = False
    history.record("remove_bytes", actor=None, dataset=dataset)


HANDLERS = {"withdraw": withdraw}
