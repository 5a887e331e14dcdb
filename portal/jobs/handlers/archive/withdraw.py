"""Remove every copy of the bytes of a withdrawn dataset; its bag keeps what was said of it."""

import shutil
from types import TracebackType

from sqlalchemy import select, update

from portal import db, states, storage
from portal.domain.archive import bags
from portal.domain.components import components
from portal.domain.files import belonging
from portal.domain.shared import history, job_queue, transitions
from portal.domain.shared.job_queue import Lease
from portal.domain.uploads import folders
from portal.faults import point
from portal.jobs.handlers.archive import bag as bag_job
from portal.jobs.handlers.handler import Progress
from portal.models import Dataset, File, Upload


def run(lease: Lease, progress: Progress) -> None:
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is None or dataset.state != states.WITHDRAWN or not dataset.accession:
            job_queue.finish(lease)
            return
        _forget(dataset)
        bag = bags.describe(dataset)
    point("withdraw.recorded")
    bag_job.write(bag, progress)
    for realm in ("open", "protected"):
        shutil.rmtree(storage.bag_path(realm, bag.accession) / "data", ignore_errors=False, onerror=_absent)
    storage.make_folder(storage.bag_path(bag.realm, bag.accession) / "data")
    with db.transaction():
        dataset = db.session.get_one(Dataset, lease.dataset_id)
        bags.written(dataset, bag, lease)
        history.record("remove_bytes", actor=None, dataset=dataset)
        job_queue.finish(lease)


def _forget(dataset: Dataset) -> None:
    """From here on no row says where bytes of this dataset are."""
    linked = select(Upload).join(File, File.upload_id == Upload.id).where(File.dataset_id == dataset.id)
    for upload in db.session.scalars(linked.where(Upload.state.in_((*states.LISTED, states.CHECKING)))):
        belonging.retire(upload, "withdraw")
    for copy in db.session.scalars(folders.copies_of(dataset)):
        folders.drop(copy, actor=None)
    ids = select(File.upload_id).where(File.dataset_id == dataset.id, File.upload_id.is_not(None))
    transitions.transition_all(Upload, "withdraw", Upload.id.in_(ids), Upload.state == states.ARCHIVED)
    db.session.execute(
        update(File)
        .where(File.dataset_id == dataset.id)
        .values(archive_path=None)
        .execution_options(synchronize_session=False)
    )
    components.recompute_states(dataset)


def _absent(_function: object, _path: object, info: tuple[type[BaseException], BaseException, TracebackType]) -> None:
    """A folder that is not there is as good as removed."""
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]
