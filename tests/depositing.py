"""Short ways to a dataset with files: sent through the real door, declared, submitted, archived, approved."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import bagit
from sqlalchemy import select

from portal import db, storage
from portal.domain.datasets import datasets, releases, reviews
from portal.domain.files import bulk_edit, files
from portal.ingest import upload_session
from portal.models import Dataset, File, Upload
from tests.conftest import INES, RUTH


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def send(name: str, data: bytes, *, person=INES, **options):
    """Bytes through the door."""
    session = upload_session.open(person.id, realm="open", area="incoming", name=name, via="api", **options)
    session.write(data)
    return session.finish()


def submit(contents: dict[str, bytes], *, person=INES, declared: dict[str, str] | None = None, **fields) -> int:
    """A submitted dataset of files that arrived; its id. `declared` overrides the MD5 of a name."""
    for name, data in contents.items():
        send(name, data, person=person)
    given = {"title": "Counts", "description": "Of genes.", "species": "Mus musculus", "access": "open"} | fields
    rows = [{"name": name, "md5": (declared or {}).get(name, md5(data))} for name, data in contents.items()]
    with db.transaction():
        dataset = datasets.create(actor=person.account, files=rows, **given)
        datasets.submit(dataset, actor=person.account)
    return dataset.id


def get(dataset_id: int) -> Dataset:
    db.end()
    return db.session.get_one(Dataset, dataset_id)


def files_of(dataset_id: int) -> list[File]:
    db.end()
    return list(db.session.scalars(select(File).where(File.dataset_id == dataset_id).order_by(File.n)))


def states_of(dataset_id: int) -> list[str]:
    return [file.state for file in files_of(dataset_id)]


def upload_of(name: str) -> Upload:
    db.end()
    query = select(Upload).where(Upload.name == name).order_by(Upload.id.desc())
    return db.session.scalars(query).first()


def area_path(name: str) -> Path:
    upload = upload_of(name)
    return storage.area_path(upload.realm, upload.account_id, upload.token)


def bag_of(dataset_id: int) -> Path:
    dataset = get(dataset_id)
    return storage.bag_path(dataset.realm, dataset.accession)


def archived_path(dataset_id: int, n: int = 1) -> Path:
    return bag_of(dataset_id) / files_of(dataset_id)[n - 1].archive_path


def is_valid_bag(folder: Path) -> bool:
    return bagit.Bag(str(folder)).is_valid()


def approve(dataset_id: int) -> None:
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        reviews.approve(dataset, version=dataset.version, actor=RUTH.account)


def ask_release(dataset_id: int) -> None:
    with db.transaction():
        releases.request_release(db.session.get_one(Dataset, dataset_id), actor=INES.account)


def remove_file(dataset_id: int, n: int) -> None:
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        bulk_edit.remove(dataset, [files.by_number(dataset, n).id], actor=INES.account)


def run_until_idle(run_jobs: Callable[[], None], clock) -> None:
    """Run what is due, then what was put off for seconds."""
    run_jobs()
    clock.shift(60_000)
    run_jobs()
