"""Write a bag's manifests and tag files, then remove payload that no manifest names any more."""

import contextlib
import os

from portal import db, states, storage
from portal.domain.archive import bags
from portal.domain.archive.bags import Bag
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.faults import point
from portal.jobs.handlers.handler import Progress
from portal.models import Dataset


def run(lease: Lease, progress: Progress) -> None:
    with db.reading():
        dataset = db.session.get(Dataset, lease.dataset_id)
        bag = bags.describe(dataset) if dataset is not None and dataset.accession else None
    if bag is None:
        with db.transaction():
            job_queue.finish(lease)
        return
    write(bag, progress)
    with db.transaction():
        dataset = db.session.get_one(Dataset, lease.dataset_id)
        bags.written(dataset, bag, lease)
        point("bag.recorded")
    progress.check()
    clear(lease, bag)
    with db.transaction():
        job_queue.finish(lease)


def write(bag: Bag, progress: Progress) -> None:
    """Each file whole or not at all; the tag manifests, which seal the bag, last."""
    folder = storage.bag_path(bag.realm, bag.accession)
    storage.make_folder(folder / "data")
    for name, body in bag.tags.items():
        progress.check()
        storage.write_whole(folder / name, body, mode=0o644)
        point("bag.written")


def clear(lease: Lease, bag: Bag) -> None:
    """Remove what no manifest names: replaced and removed files, and what an ended job left. Bytes of a file that is on
    its way into the archive stay."""
    data = storage.bag_path(bag.realm, bag.accession) / "data"
    with db.reading():
        job_queue.check_lease(lease)
        dataset = db.session.get_one(Dataset, lease.dataset_id)
        spared = bags.being_archived(dataset) if dataset.state != states.WITHDRAWN else set()
    for folder, _folders, names in os.walk(data, topdown=False):
        inside = folder.removeprefix(str(data)).lstrip("/")
        for name in names:
            path = f"{inside}/{name}" if inside else name
            if f"data/{path}" not in bag.payload and path.partition("/")[0] not in spared:
                storage.remove(data / path)
                point("bag.cleared")
        if inside:
            with contextlib.suppress(OSError):  # it still holds something
                os.rmdir(folder)
