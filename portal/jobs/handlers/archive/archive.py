"""The job that archives what arrived for a dataset, 500 files at a time: link, sync, record, remove from the area."""

from pathlib import Path

from portal import db, errors, states, storage
from portal.config import settings
from portal.domain.archive import archiving
from portal.domain.archive.archiving import Fault, Item
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.faults import point
from portal.jobs.handlers.handler import Progress
from portal.models import Dataset


def run(lease: Lease, progress: Progress) -> None:
    """Archive every checked file of the dataset of this job; withdrawn datasets are left alone."""
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is None or dataset.state == states.WITHDRAWN:
            job_queue.finish(lease)
            return
        archiving.put_back(dataset)
        if lease.attempt == 1:
            archiving.revive(dataset)
        progress.expect(archiving.bytes_ahead(dataset))
    while _batch(lease, progress):
        progress.check()


def give_up(lease: Lease, error: str) -> None:
    archiving.give_up(lease.dataset_id or 0, error)


def _batch(lease: Lease, progress: Progress) -> bool:
    """One batch; False when there was none and the job is finished."""
    # 1. Take: freeze the next files, so that nobody writes to their bytes.
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get_one(Dataset, lease.dataset_id)
        items = archiving.take(dataset)
        if not items:
            archiving.finish(dataset)
            job_queue.finish(lease)
    db.end()
    if not items:
        return False
    point("archive.taken")
    # 2. Link: bytes get a second name in the bag, whose folders are synced. No transaction is open meanwhile.
    linked, faults = _link_all(dataset, items, progress)
    point("archive.synced")
    # 3. Record: one transaction says `archived`, or why not.
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get_one(Dataset, lease.dataset_id)
        rejected = archiving.record(dataset, linked, faults)
        point("archive.recorded")
    point("archive.committed")
    # 4. Remove one name: that in the area, or that in the bag where the file changed its mind meanwhile.
    for item in rejected:
        storage.remove(item.target)
    kept = {item.upload_id for item in rejected}
    for item in linked:
        if item.upload_id not in kept:
            storage.remove(item.source)
            point("archive.removed")
    db.end()
    return True


def _link_all(dataset: Dataset, items: list[Item], progress: Progress) -> tuple[list[Item], list[Fault]]:
    linked, faults, folders = [], [], set[Path]()
    for item in items:
        fault = _verify(item, progress)
        if fault is not None:
            faults.append(fault)
            continue
        _link(dataset, item, progress)
        point("archive.linked")
        linked.append(item)
        folders.add(Path(item.target).parent)
        progress.base += item.facts.size
        progress(0)
    storage.sync_folders(folders, settings().root("archive", dataset.realm))
    return linked, faults


def _link(dataset: Dataset, item: Item, progress: Progress) -> None:
    """Give the bytes their second name. What an ended job left there for another upload of this file, recorded nowhere,
    is cleared away first."""
    try:
        storage.link_into(item.source, item.target, progress=progress)
    except FileNotFoundError:
        if storage.facts(item.target) is None:
            raise
    except errors.StorageFault:
        if archiving.is_known(dataset, item.archive_path):
            raise
        storage.remove(item.target)
        storage.link_into(item.source, item.target, progress=progress)


def _verify(item: Item, progress: Progress) -> Fault | None:
    """Whether the bytes are still those that were digested; read again when their facts differ."""
    facts = storage.facts(item.source)
    if facts is None:
        already = storage.facts(item.target)
        return None if already == item.facts else Fault(item, "upload_file_not_found")
    if facts.size != item.facts.size:
        return Fault(item, "size_changed_during_copy", f"{item.facts.size} bytes arrived, {facts.size} are there")
    if facts == item.facts:
        return None
    _md5, sha256, _size = storage.digest(item.source, progress=progress)
    return None if sha256 == item.sha256 else Fault(item, "file_changed_during_copy")
