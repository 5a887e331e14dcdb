"""The job that moves the bag of a dataset to the realm of its access: a whole second copy (by links where both roots
are one file system), made durable; then one commit says that it counts; then the first goes. It may be killed at any
line."""

import contextlib
import os
import shutil
from pathlib import Path

from portal import db, errors, states, storage
from portal.config import settings
from portal.domain.archive import bags
from portal.domain.datasets import realms
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.faults import point
from portal.jobs.handlers.handler import Again, Progress
from portal.messages import say
from portal.models import Dataset

READERS = frozenset({"fixity"})
SOON = 5_000


def run(lease: Lease, progress: Progress) -> None:
    """Move a bag where its dataset's access asks for it. Raises Again while its files are read and compared."""
    # 1. Is a move due, and is nobody reading the bag?
    with db.reading():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is not None and job_queue.is_held(dataset.id, READERS):
            raise Again(SOON, "The files are being read and compared; they move after that.")
        movable = dataset is not None and dataset.accession is not None and dataset.state != states.WITHDRAWN
        source, accession = (dataset.realm, dataset.accession) if dataset is not None and movable else ("", "")
        due = dataset is not None and movable and realms.of_access(dataset) != source
        sizes = {row["archive_path"]: row["size"] for row in bags.archived(dataset)} if dataset and due else {}
    if due and accession:
        # 2. Copy: all of it in the other realm, synced, and only then under the name that counts.
        progress.expect(sum(sizes.values()))
        _copy(accession, source, progress)
        point("move.renamed")
        # 3. Check: every archived file is there at its length.
        _check(accession, realms.other(source), sizes)
        # 4. Switch: one commit says that the copy counts, unless the access changed again meanwhile.
        with db.transaction():
            dataset = db.session.get_one(Dataset, lease.dataset_id)
            if realms.switch(dataset, lease, source=source):
                source = dataset.realm
            point("move.recorded")
        point("move.switched")
    # 5. Clear: what does not count goes, also what an earlier attempt left.
    if accession:
        _clear(accession, due_from=source, lease=lease)
    with db.transaction():
        job_queue.finish(lease)


def _copy(accession: str, source: str, progress: Progress) -> None:
    """Every file of the bag under a name that nothing reads yet, then the name that counts. What an ended attempt left
    is taken over."""
    old, new = storage.bag_path(source, accession), storage.bag_path(realms.other(source), accession)
    root = settings().root("archive", realms.other(source))
    draft = new.with_name(f".move-{accession}")
    _remove(new)
    storage.make_folder(draft)
    folders = {draft}
    for path in _files(old):
        target = draft / path
        if path.parts[0] != "data":
            storage.remove(target)
        storage.link_into(old / path, target, progress=progress)
        folders.add(target.parent)
        progress.base += (old / path).stat().st_size if path.parts[0] == "data" else 0
        progress(0)
        point("move.linked")
    kept = set(_files(old))
    for path in _files(draft):
        if path not in kept:
            storage.remove(draft / path)
    storage.sync_folders(folders, root)
    point("move.synced")
    draft.rename(new)
    storage.sync_dir(root)


def _files(folder: Path) -> list[Path]:
    """Every file below a folder; what is being written whole has a dotted name and is none yet."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if not path.name.startswith(".") or path.parts[0] == "data")


def _check(accession: str, realm: str, sizes: dict[str, int]) -> None:
    """Nothing counts before every archived file is there at its length."""
    for path, size in sizes.items():
        facts = storage.facts(storage.archived_path(realm, accession, path))
        if facts is None or facts.size != size:
            raise errors.StorageFault(
                say("move_incomplete", "{path} did not arrive whole in the {realm} area.", path=str(path), realm=realm)
            )


def _clear(accession: str, *, due_from: str, lease: Lease) -> None:
    """Remove the copy that does not count, as the catalogue says it now."""
    with db.reading():
        job_queue.check_lease(lease)
        dataset = db.session.get_one(Dataset, lease.dataset_id)
        realm = dataset.realm
    if realm != due_from:
        return
    left = storage.bag_path(realms.other(realm), accession)
    for folder in (
        left,
        left.with_name(f".move-{accession}"),
        storage.bag_path(realm, accession).with_name(f".move-{accession}"),
    ):
        _remove(folder)
    point("move.removed")


def _remove(folder: Path) -> None:
    """A whole folder, its files first; absence is fine."""
    if not folder.exists():
        return
    for path, _folders, names in os.walk(folder, topdown=False):
        for name in names:
            storage.remove(Path(path) / name)
            point("move.clearing")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    storage.sync_dir(folder.parent)
