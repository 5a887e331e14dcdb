"""Catalogue against disk, read-only. Each finding is one sentence with where it is."""

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal import db, states, storage
from portal.config import settings
from portal.domain.datasets import failed_work
from portal.domain.files import accessions
from portal.models import Component, Counter, Dataset, File, FileTally, Job, Upload

PAGE_SIZE = 5000
HELD = (states.RECEIVED, states.CHECKING, states.FAILED, states.INCOMPLETE)


def check(*, deep: bool = False) -> Iterator[str]:
    """Every disagreement between database and disk; with `deep` the digests of all bytes too."""
    yield from (f"database: {line}" for line in db.check_integrity())
    yield from _areas(deep)
    yield from _archive(deep)
    yield from _bags()
    yield from _realms()
    yield from _links()
    yield from _accessions()
    yield from _tallies()
    yield from _failed_work()
    if deep:
        yield from _components()


def _components() -> Iterator[str]:
    """The digest that telemetry tells must be that of the text it serves."""
    query = select(Component.id, Component.accession, Component.xml, Component.md5).where(Component.xml.is_not(None))
    for row in _rows(query, Component.id):
        if hashlib.md5(row.xml, usedforsecurity=False).hexdigest() != row.md5:
            yield f"component {row.accession or row.id}: its XML is not what its MD5 was made of"


def _failed_work() -> Iterator[str]:
    """What the archive still owes and nothing goes on with."""
    for work in failed_work.everywhere(limit=PAGE_SIZE):
        yield f"{work.subject}: {work.message}"
    db.end()


def _tallies() -> Iterator[str]:
    """What the database keeps of how many files stand where, against the files."""
    counted = select(File.dataset_id, File.state, func.count().label("number")).group_by(File.dataset_id, File.state)
    there = counted.subquery()
    same = (FileTally.dataset_id == there.c.dataset_id) & (FileTally.state == there.c.state)
    query = select(there, FileTally.number.label("kept")).outerjoin(FileTally, same)
    for row in db.session.execute(query.where(func.coalesce(FileTally.number, 0) != there.c.number)):
        yield f"dataset {row.dataset_id}: {row.number} files are {row.state}, its tally says {row.kept or 0}"
    db.end()


def _rows(query: Select[*tuple[Any, ...]], key: InstrumentedAttribute[int]) -> Iterator[Row[*tuple[Any, ...]]]:
    last = 0
    while rows := list(db.session.execute(query.where(key > last).order_by(key).limit(PAGE_SIZE))):
        last = rows[-1].id
        db.end()
        yield from rows


def _areas(deep: bool) -> Iterator[str]:
    query = select(
        Upload.id,
        Upload.realm,
        Upload.account_id,
        Upload.token,
        Upload.name,
        Upload.size,
        Upload.state,
        Upload.sha256,
        Upload.error,
    ).where(Upload.state.in_(HELD))
    for row in _rows(query, Upload.id):
        path = storage.area_path(row.realm, row.account_id, row.token)
        facts = storage.facts(path)
        if facts is None:
            if row.state != states.CHECKING and row.error != "upload_file_not_found":
                yield f"upload {row.id} ({row.name}): its bytes are gone"
        elif facts.size != row.size:
            yield f"upload {row.id} ({row.name}): {facts.size} bytes on disk, {row.size} recorded"
        elif deep and row.sha256 and storage.digest(path)[1] != row.sha256:
            yield f"upload {row.id} ({row.name}): its bytes changed"
    yield from _strays()


def _strays() -> Iterator[str]:
    """Bytes that nobody will ask for again."""
    for realm in ("open", "protected"):
        for path in settings().root("area", realm).glob("*/*"):
            state = db.session.scalar(select(Upload.state).where(Upload.token == path.name))
            if state is not None and state not in states.LIVE:
                yield f"area/{realm}/{path.parent.name}/{path.name}: left over, its upload is {state}"
    db.end()


def _archive(deep: bool) -> Iterator[str]:
    query = (
        select(
            File.id,
            File.n,
            File.name,
            File.size,
            File.sha256,
            File.archive_path,
            Dataset.accession,
            Dataset.realm,
            Dataset.state,
        )
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(File.state == states.ARCHIVED)
    )
    for row in _rows(query, File.id):
        where = f"{accessions.of_file(row.accession, row.n)} ({row.name})"
        if not row.archive_path:
            if row.state != states.WITHDRAWN:
                yield f"{where}: archived, but no path is recorded"
            continue
        yield from _archived(storage.archived_path(row.realm, row.accession, row.archive_path), row, where, deep)


def _archived(path: Path, row: Row[*tuple[Any, ...]], where: str, deep: bool) -> Iterator[str]:
    facts = storage.facts(path)
    if facts is None:
        yield f"{where}: missing in the archive"
        return
    if facts.size != row.size:
        yield f"{where}: {facts.size} bytes in the archive, {row.size} recorded"
    elif deep and storage.digest(path)[1] != row.sha256:
        yield f"{where}: its bytes changed in the archive"
    if stat.S_IMODE(path.stat().st_mode) & 0o222:
        yield f"{where}: writable in the archive"


def _bags() -> Iterator[str]:
    """Manifests of clean bags name exactly the archived files; nothing else lies in data/."""
    query = select(Dataset.id, Dataset.accession, Dataset.realm).where(
        Dataset.accession.is_not(None), Dataset.bag_dirty.is_(False), Dataset.bag_generation > 0
    )
    for row in _rows(query, Dataset.id):
        files = select(File.archive_path, File.md5, File.sha256).where(
            File.dataset_id == row.id, File.state == states.ARCHIVED, File.archive_path.is_not(None)
        )
        archived = list(db.session.execute(files))
        bag = storage.bag_path(row.realm, row.accession)
        for name in ("md5", "sha256"):
            if _manifest(bag / f"manifest-{name}.txt") != {file.archive_path: getattr(file, name) for file in archived}:
                yield f"{row.accession}: manifest-{name}.txt and the catalogue differ"
            yield from _tags(bag, name, row.accession)
        lying = {f"data/{path.relative_to(bag / 'data')}" for path in (bag / "data").rglob("*") if path.is_file()}
        unknown = sorted(lying - {file.archive_path for file in archived})
        yield from (f"{row.accession}: {name} is not in the catalogue" for name in unknown)


def _realms() -> Iterator[str]:
    """A bag lies in the realm of its dataset alone; a move that was cut leaves a second copy, until it goes on."""
    for realm in ("open", "protected"):
        for path in sorted(settings().root("archive", realm).glob("*")):
            accession = path.name.removeprefix(".move-")
            row = db.session.execute(select(Dataset.id, Dataset.realm).where(Dataset.accession == accession)).first()
            if row is not None and (row.realm != realm or path.name != accession):
                yield f"{accession}: a copy that does not count lies at archive/{realm}/{path.name}"
    db.end()


def _tags(bag: Path, algorithm: str, accession: str) -> Iterator[str]:
    """The tag files are those that the tag manifest seals."""
    sealed = _manifest(bag / f"tagmanifest-{algorithm}.txt")
    if not sealed:
        yield f"{accession}: tagmanifest-{algorithm}.txt is missing or empty"
    for name, digest in sealed.items():
        path = bag / name
        if not path.is_file() or hashlib.new(algorithm, path.read_bytes()).hexdigest() != digest:
            yield f"{accession}: {name} is not what tagmanifest-{algorithm}.txt says"


def _manifest(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def _links() -> Iterator[str]:
    """What a file says and what its upload says must agree, except of bytes that were withdrawn."""
    query = select(File.id, File.name, File.state, Upload.state.label("bytes")).join(
        Upload, Upload.id == File.upload_id
    )
    query = query.join(Dataset, Dataset.id == File.dataset_id).where(Dataset.state != states.WITHDRAWN)
    for row in _rows(query.where(File.state.not_in(states.DEAD_FILES)), File.id):
        archived = row.state == states.ARCHIVED
        if archived != (row.bytes == states.ARCHIVED) or row.bytes in (states.OBSOLETE, states.EXPIRED):
            yield f"file {row.id} ({row.name}) is {row.state}, its upload is {row.bytes}"


def _accessions() -> Iterator[str]:
    prefix = settings().prefix
    highest = db.session.scalar(select(func.max(Dataset.accession)).where(Dataset.accession.like(f"{prefix}%")))
    coming = db.session.scalar(select(Counter.next).where(Counter.name == prefix)) or 1
    if highest and int(highest.removeprefix(prefix)) >= coming:
        yield f"accession {highest} is behind the counter, which stands at {coming}"
    db.end()


def notes() -> dict[str, int]:
    """What is no fault but worth a look."""
    query = select(Job.state, func.count()).group_by(Job.state)
    return {f"jobs {row[0]}": row[1] for row in db.session.execute(query) if row[0] != states.DONE}
