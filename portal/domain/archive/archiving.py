"""From the area into the archive: bytes get a second name there, the catalogue says so, then the first name goes.

A batch is taken (1), linked without any transaction (2), recorded in one (3), and only then removed from the area (4).
Each step may run twice or be cut anywhere: the outcome is one file and one row. The job is in
jobs/handlers/archive/archive.py.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, or_, select

from portal import clock, db, states, storage
from portal.domain.datasets import releases
from portal.domain.files import accessions, file_state, files
from portal.domain.shared import job_queue, transitions
from portal.domain.uploads import replacements
from portal.models import Dataset, Event, File, Upload

BATCH = 500


@dataclass(frozen=True)
class Item:
    """One upload on its way into the archive."""

    file_id: int
    upload_id: int
    source: str
    target: str
    archive_path: str
    facts: storage.Facts
    md5: str
    sha256: str


@dataclass(frozen=True)
class Fault:
    """Why one did not get there; a word of the vocabulary and a detail."""

    item: Item
    error: str
    detail: str = ""


_BYTES = (
    Upload.id.label("upload_id"),
    Upload.realm,
    Upload.account_id,
    Upload.token,
    Upload.inode,
    Upload.size,
    Upload.mtime_ns,
    Upload.md5,
    Upload.sha256,
)


def take(dataset: Dataset, *, limit: int = BATCH) -> list[Item]:
    """1. Take: freeze the next files of a dataset whose bytes are whole and digested."""
    rows = db.session.execute(
        select(File.id, File.n, File.name, File.declared_md5, *_BYTES)
        .join(Upload, Upload.id == File.upload_id)
        .where(
            File.dataset_id == dataset.id,
            File.state == states.CHECKING,
            Upload.state.in_((states.RECEIVED, states.CHECKING)),
            Upload.sha256.is_not(None),
        )
        .order_by(File.n)
        .limit(limit)
    ).all()
    right = [row for row in rows if row.declared_md5 in (None, "", row.md5)]
    agreed = {row.id for row in right}
    for row in rows:
        if row.id not in agreed:
            file_state.recompute_state(db.session.get_one(File, row.id))
    _move("check", [row.upload_id for row in right])
    bag = str(storage.bag_path(dataset.realm, dataset.accession or ""))
    return [_item(dataset, bag, row) for row in right]


def _item(dataset: Dataset, bag: str, row: Row[*tuple[Any, ...]]) -> Item:
    archive_path = f"data/{accessions.of_file(dataset.accession, row.n)}/{row.name}"
    facts = storage.Facts(row.inode or 0, row.size, row.mtime_ns or 0)
    return Item(
        row.id,
        row.upload_id,
        str(storage.area_path(row.realm, row.account_id, row.token)),
        f"{bag}/{archive_path}",
        archive_path,
        facts,
        row.md5,
        row.sha256,
    )


def bytes_ahead(dataset: Dataset) -> int:
    """How much is still to be archived, for the progress."""
    query = (
        select(func.coalesce(func.sum(Upload.size), 0))
        .join(File, File.upload_id == Upload.id)
        .where(File.dataset_id == dataset.id, File.state == states.CHECKING)
    )
    return int(db.session.scalar(query) or 0)


def is_known(dataset: Dataset, path: str) -> bool:
    """Whether the manifest of the bag names a payload path."""
    assert dataset.accession
    manifest = storage.bag_path(dataset.realm, dataset.accession) / "manifest-sha256.txt"
    return manifest.exists() and f"  {path}\n" in manifest.read_text()


def _move(action: str, upload_ids: list[int], **values: object) -> None:
    if upload_ids:
        transitions.transition_all(Upload, action, Upload.id.in_(upload_ids), **values)


def record(dataset: Dataset, items: list[Item], faults: list[Fault]) -> list[Item]:
    """3. Record what is in the archive now. Returns the items whose file changed its mind meanwhile (another declared
    MD5, say): their bytes go back to the area, and their second name is to be removed."""
    # 3.1 The files, each only while it still wants these bytes.
    now = clock.now()
    _archive_files(items, now)
    mine = File.id.in_([item.file_id for item in items])
    archived = set(db.session.scalars(select(File.id).where(mine, File.state == states.ARCHIVED)))
    arrived = [item for item in items if item.file_id in archived]
    rejected = [item for item in items if item.file_id not in archived]
    # 3.2 Their uploads: archived, or back in the area.
    _move("archive", [item.upload_id for item in arrived], loaded_at=now)
    _move("put_back", [item.upload_id for item in rejected])
    # 3.3 What follows: events, the files that these replace, manifests to write.
    _tell(dataset, arrived, now)
    replacements.complete(dataset, [item.file_id for item in arrived])
    if arrived:
        dataset.bag_dirty = True
    db.session.flush()
    for fault in faults:
        fail(fault.item.upload_id, fault.error, detail=fault.detail)
    return rejected


def _archive_files(items: list[Item], now: int) -> None:
    rows = [
        {
            "id": item.file_id,
            "bytes": item.upload_id,
            "size": item.facts.size,
            "md5": item.md5,
            "sha256": item.sha256,
            "path": item.archive_path,
        }
        for item in items
    ]
    transitions.transition_each(
        File,
        "archive",
        rows,
        File.upload_id == bindparam("bytes"),
        or_(File.declared_md5.is_(None), File.declared_md5 == bindparam("md5")),
        error=None,
        comment="",
        size=bindparam("size"),
        md5=bindparam("md5"),
        sha256=bindparam("sha256"),
        archive_path=bindparam("path"),
        archived_at=now,
        updated_at=now,
        fixity=None,
        fixity_at=None,
    )


def _tell(dataset: Dataset, items: list[Item], now: int) -> None:
    """One event a file, without an object for each."""
    if items:
        db.session.execute(
            insert(Event),
            [
                {
                    "at": now,
                    "center_id": dataset.center_id,
                    "dataset_id": dataset.id,
                    "file_id": item.file_id,
                    "upload_id": item.upload_id,
                    "action": "archive",
                    "note": "",
                    "after": {"state": states.ARCHIVED, "md5": item.md5},
                }
                for item in items
            ],
        )


def fail(upload_id: int, error: str, *, detail: str = "") -> bool:
    """An upload could not be checked or archived; its file says why. Returns whether it still stood there."""
    mine = Upload.id == upload_id
    failed = transitions.transition_all(Upload, "fail", mine, error=error, detail=detail, inspection=None)
    upload = db.session.get(Upload, upload_id, populate_existing=True)
    if failed != 1 or upload is None:
        return False
    file_state.recompute_state_of_upload(upload)
    return True


def put_back(dataset: Dataset) -> None:
    """Uploads that an ended job left frozen although their file no longer goes to the archive."""
    query = (
        select(Upload.id)
        .join(File, File.upload_id == Upload.id)
        .where(
            File.dataset_id == dataset.id,
            Upload.state == states.CHECKING,
            File.state.not_in((states.CHECKING, states.ARCHIVED)),
        )
    )
    _move("put_back", list(db.session.scalars(query)))


def revive(dataset: Dataset) -> None:
    """What we failed to copy before is tried again with the job."""
    query = (
        select(File)
        .join(Upload, Upload.id == File.upload_id)
        .where(
            File.dataset_id == dataset.id,
            File.state == states.FAILED,
            Upload.state == states.FAILED,
            Upload.error.in_(file_state.OUR_FAULTS),
        )
    )
    for file in db.session.scalars(query):
        if file.upload is not None:
            revive_upload(file.upload)


def revive_upload(upload: Upload) -> None:
    """Bytes that we failed to read before, and whose job is run again by hand."""
    if upload.state == states.FAILED and upload.error in file_state.OUR_FAULTS:
        transitions.transition(upload, "retry", error=None, detail="")
        file_state.recompute_state_of_upload(upload)


def give_up(dataset_id: int, error: str) -> None:
    """The last attempt failed: what could not be copied says so; the fault is ours."""
    query = (
        select(Upload.id)
        .join(File, File.upload_id == Upload.id)
        .where(
            File.dataset_id == dataset_id,
            File.state == states.CHECKING,
            Upload.sha256.is_not(None),
            Upload.state.in_((states.RECEIVED, states.CHECKING)),
        )
    )
    for upload_id in list(db.session.scalars(query)):
        fail(upload_id, "copy_error", detail=error[:500])


def finish(dataset: Dataset) -> None:
    """5. After the last batch: the manifests follow, and a release that waits is tried again."""
    if dataset.bag_dirty:
        job_queue.enqueue("bag", dataset_id=dataset.id, priority=4, delay=0 if releases.is_wanted(dataset) else 2_000)
    files.enqueue_components(dataset)
    if releases.is_wanted(dataset):
        job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
