"""Two drafts, the drop box, the doors and the archive, interleaved over names that collide: good bytes of a dataset
change by no act on another, nothing vanishes that no act named, and what is recorded is what lies on the disk."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from portal import db, errors, states, storage
from portal.domain.datasets import datasets
from portal.domain.files import bulk_edit, files
from portal.domain.uploads import dataset_files, folders, resumable
from portal.domain.uploads.uploads import Place
from portal.ingest import upload_session
from portal.models import Dataset, File, Resumable, Upload
from tests.conftest import INES

NAMES = ("README", "run/a.txt", "a.txt")  # the last is the base name of the one before
CONTENTS = tuple(f"content {n}".encode() for n in range(4))
GOOD = (states.RECEIVED, states.CHECKING, states.ARCHIVED)
STEPS = 30
ALL = -1  # an act on every dataset: the jobs


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Has(NamedTuple):
    """What a file has."""

    dataset_id: int
    state: str
    content: bytes | None


class World:
    """Two datasets of one person, and all that may be done with them; each act returns the dataset that it names, None
    for acts on the drop box."""

    def __init__(self, seed: int, run_jobs: Callable[[], None]) -> None:
        self.chance, self.run_jobs = random.Random(seed), run_jobs
        self.datasets = [self.made(), self.made()]

    def made(self) -> int:
        words = {"title": "T", "description": "D", "species": "Mus musculus", "access": "open"}
        with db.transaction():
            return datasets.create(actor=INES.account, **words).id

    def step(self) -> tuple[str, int | None]:
        boxed = (self.box, self.box, self.renamed, self.clear)
        sent = (self.place, self.tus, self.give, self.use, self.moved_in)
        said = (self.declare, self.declare, self.remove, self.rename, self.redden, self.submit)
        act = self.chance.choice((*boxed, *sent, *said, self.jobs))
        try:
            return act.__name__, act(self.chance.choice(self.datasets))
        except errors.DomainError:
            return f"{act.__name__}, refused", -2
        finally:
            db.end()

    def send(self, name: str, data: bytes, **options) -> int:
        session = upload_session.open(INES.id, realm="open", name=name, via="api", **options)
        session.write(data)
        try:
            return session.finish().upload_id
        except errors.DomainError:
            session.abort("refused", keep=False)
            raise

    def any_name(self) -> str:
        return self.chance.choice(NAMES)

    def any_content(self) -> bytes:
        return self.chance.choice(CONTENTS)

    # Acts on the drop box.

    def box(self, _dataset_id: int) -> None:
        self.send(self.any_name(), self.any_content())

    def renamed(self, _dataset_id: int) -> None:
        self.send("part.tmp", self.any_content())
        with db.transaction():
            target = Place("incoming", "open", self.any_name())
            folders.move(INES.account, Place("incoming", "open", "part.tmp"), target, replacing=True)

    def clear(self, _dataset_id: int) -> None:
        with db.transaction():
            folders.remove(INES.account, Place("incoming", "open", self.any_name()))

    # Acts on one dataset.

    def place(self, dataset_id: int) -> int:
        self.send(self.any_name(), self.any_content(), dataset_id=dataset_id)
        return dataset_id

    def tus(self, dataset_id: int) -> int:
        data = self.any_content()
        with db.transaction():
            row = resumable.announce(
                actor=INES.account, name=self.any_name(), length=len(data), md5=md5(data), dataset=str(dataset_id)
            )
            key, name = row.key, row.name
        upload_id = self.send(name, data, dataset_id=dataset_id)
        with db.transaction():
            resumable.finish(db.session.get_one(Resumable, key), upload_id)
        return dataset_id

    def declare(self, dataset_id: int) -> int:
        with db.transaction():
            files.add(db.session.get_one(Dataset, dataset_id), [{"name": self.any_name()}], actor=INES.account)
        return dataset_id

    def one_of(self, dataset_id: int) -> File:
        rows = list(db.session.scalars(files.living(db.session.get_one(Dataset, dataset_id))).unique())
        if not rows:
            raise errors.NotFound()
        return self.chance.choice(rows)

    def remove(self, dataset_id: int) -> int:
        with db.transaction():
            file = self.one_of(dataset_id)
            bulk_edit.remove(db.session.get_one(Dataset, dataset_id), [file.id], actor=INES.account)
        return dataset_id

    def rename(self, dataset_id: int) -> int:
        with db.transaction():
            files.edit(self.one_of(dataset_id), {"name": self.any_name()}, actor=INES.account)
        return dataset_id

    def moved_in(self, dataset_id: int) -> int:
        with db.transaction():
            dataset = db.session.get_one(Dataset, dataset_id)
            dataset_files.rename(dataset, self.any_name(), self.any_name(), actor=INES.account)
        return dataset_id

    def redden(self, dataset_id: int) -> int:
        with db.transaction():
            file = self.one_of(dataset_id)
            files.edit(file, {"md5": self.chance.choice([None, md5(self.any_content())])}, actor=INES.account)
        return dataset_id

    def boxed(self) -> Upload:
        query = db.session.query(Upload).filter(Upload.dataset_id.is_(None), Upload.state == states.RECEIVED)
        rows = query.order_by(Upload.id).all()
        if not rows:
            raise errors.NotFound()
        return self.chance.choice(rows)

    def use(self, dataset_id: int) -> int:
        with db.transaction():
            dataset_files.use(self.one_of(dataset_id), self.boxed(), actor=INES.account)
        return dataset_id

    def give(self, dataset_id: int) -> int:
        with db.transaction():
            dataset = db.session.get_one(Dataset, dataset_id)
            dataset_files.take_many(dataset, [self.boxed()], actor=INES.account)
        return dataset_id

    def submit(self, dataset_id: int) -> int:
        with db.transaction():
            datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
        return dataset_id

    def jobs(self, _dataset_id: int) -> int:
        self.run_jobs()
        return ALL


def path_of(file: File) -> Path | None:
    if file.state == states.ARCHIVED:
        dataset = db.session.get_one(Dataset, file.dataset_id)
        return storage.archived_path(dataset.realm, dataset.accession, file.archive_path)
    upload = file.upload
    return storage.area_path(upload.realm, upload.account_id, upload.token) if upload is not None else None


def had() -> dict[int, Has]:
    """What each living file has, read from the disk."""
    db.end()
    rows = db.session.query(File).filter(File.state.not_in(states.DEAD_FILES)).all()
    return {
        file.id: Has(file.dataset_id, file.state, path.read_bytes() if (path := path_of(file)) else None)
        for file in rows
    }


def living() -> dict[int, tuple[int | None, str, bool]]:
    """Each whole living upload: its dataset, its name, whether its file is good."""
    db.end()
    claimed = {file.upload_id: file.state in GOOD for file in db.session.query(File) if file.upload_id}
    rows = db.session.query(Upload).filter(Upload.state.in_((*states.NAMED, states.ARCHIVED)))
    return {row.id: (row.dataset_id, row.name, claimed.get(row.id, False)) for row in rows}


def check_rows() -> None:
    """A whole living upload has a dataset exactly while one of its files has the upload; the drop box bears each name
    once; the bytes are those that were recorded."""
    db.end()
    claims = {
        file.upload_id: file.dataset_id
        for file in db.session.query(File).filter(File.state.not_in(states.DEAD_FILES))
        if file.upload_id
    }
    boxed: list[str] = []
    for row in db.session.query(Upload).filter(Upload.state.in_(states.NAMED)):
        assert row.dataset_id == claims.get(row.id), f"upload {row.id} of {row.dataset_id}"
        boxed += [row.name] if row.dataset_id is None else []
        path = storage.area_path(row.realm, row.account_id, row.token)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256
    assert len(boxed) == len(set(boxed)), boxed


def check_act(named: int | None, before: dict[int, Has], after: dict[int, Has]) -> None:
    """Good bytes change in the dataset that the act names, and in no other."""
    for file_id, held in before.items():
        if named in (ALL, held.dataset_id) or held.state not in GOOD:
            continue
        assert after[file_id].content == held.content


def check_gone(named: int | None, before: dict, after: dict) -> None:
    """What vanishes lay in the box or had a red file, or its dataset is named by the act."""
    for upload_id in before.keys() - after.keys():
        dataset_id, name, is_good = before[upload_id]
        assert dataset_id is None or named in (ALL, dataset_id) or not is_good, f"upload {upload_id}, {name}"


def walk(seed: int, run_jobs: Callable[[], None], steps: int = STEPS) -> list[str]:
    world, told = World(seed, run_jobs), []
    before, lying = had(), living()
    for _ in range(steps):
        act, named = world.step()
        told.append(f"{act} {named}")
        after, lies = had(), living()
        if named == -2:
            assert {key: held.content for key, held in after.items()} == {
                key: held.content for key, held in before.items()
            }, told
        check_act(named, before, after)
        check_gone(named, lying, lies)
        check_rows()
        before, lying = after, lies
    return told


@pytest.mark.parametrize("seed", range(6))
def test_no_act_on_one_dataset_changes_another(receiving, run_jobs, seed):
    walk(seed, run_jobs)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 220))
def test_no_act_on_one_dataset_changes_another_however_long(receiving, run_jobs, seed):
    walk(seed, run_jobs, steps=80)
