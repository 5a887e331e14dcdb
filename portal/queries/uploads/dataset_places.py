"""Reads behind the folders of datasets in the FTP tree: those that somebody may send into, and what lies in one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal import db, states
from portal.domain.permissions import access
from portal.models import Dataset, DatasetFolder, File, Upload

NEWEST = 10_000
Condition = Callable[[InstrumentedAttribute[str]], ColumnElement[bool]]
LAST = "\U0010ffff"
_CAUGHT = (File.state == states.ARCHIVED, File.upload_id.is_not(None))


@dataclass(frozen=True, slots=True)
class Item:
    """A file with bytes, or an upload that is on its way, was cut, or is a companion. `archive_path` is set once the
    archive has the bytes; else they lie in the area of `account_id` under `token`. `held`: nobody changes it now."""

    key: str
    name: str
    size: int
    modified: int
    md5: str | None = None
    sha256: str | None = None
    token: str = ""
    realm: str = ""
    account_id: int = 0
    archive_path: str = ""
    held: bool = False
    arriving: bool = False

    @property
    def base(self) -> str:
        return self.name.rsplit("/", 1)[-1]


def places_of(account_id: int) -> list[Row[*tuple[Any, ...]]]:
    """The datasets that an account may send into, those changed last first."""
    query = _places(account_id).order_by(Dataset.updated_at.desc(), Dataset.id.desc())
    return list(db.session.execute(query.limit(NEWEST)))


def place_of(account_id: int, ref: str) -> Row[*tuple[Any, ...]] | None:
    """One of them, by id or accession."""
    named = Dataset.id == int(ref) if ref.isdecimal() and len(ref) < 19 else Dataset.accession == ref.upper()
    return db.session.execute(_places(account_id).where(named)).first()


def _places(account_id: int) -> Select[*tuple[Any, ...]]:
    columns = (Dataset.id, Dataset.accession, Dataset.title, Dataset.access, Dataset.realm, Dataset.updated_at)
    return select(*columns).where(access.editable_by(account_id), Dataset.state.in_(states.OPEN_DATASETS))


_ARRIVED = (
    Upload.id,
    Upload.state,
    Upload.size,
    Upload.received_at,
    Upload.heard_at,
    Upload.md5,
    Upload.sha256,
    Upload.token,
    Upload.realm,
    Upload.account_id,
)
_ARCHIVED = (
    File.id.label("file_id"),
    File.name,
    File.state.label("file_state"),
    File.size.label("file_size"),
    File.archived_at,
    File.md5.label("file_md5"),
    File.sha256.label("file_sha256"),
    File.archive_path,
)


def items(dataset_id: int, condition: Condition) -> list[Item]:
    """What lies in the place of a dataset under names that meet a condition, the last of each name."""
    files = (
        select(*_ARCHIVED, *_ARRIVED)
        .outerjoin(Upload, Upload.id == File.upload_id)
        .where(File.dataset_id == dataset_id, File.state.not_in(states.DEAD_FILES), or_(*_CAUGHT), condition(File.name))
        .order_by(File.n)
    )
    found = {row.name: _of_file(row) for row in db.session.execute(files)}
    claimed = select(File.id).where(File.upload_id == Upload.id).exists()
    loose = (
        select(Upload.name, *_ARRIVED)
        .where(Upload.dataset_id == dataset_id, Upload.state.in_((states.RECEIVING, *states.LISTED)), ~claimed)
        .where(condition(Upload.name))
        .order_by(Upload.id)
    )
    for row in db.session.execute(loose):
        found[row.name] = _of_upload(row, arriving=row.state == states.RECEIVING)
    return list(found.values())


def _of_file(row: Row[*tuple[Any, ...]]) -> Item:
    if row.file_state != states.ARCHIVED:
        return _of_upload(row, held=row.file_state == states.CHECKING)
    return Item(
        f"f{row.file_id}",
        row.name,
        row.file_size or 0,
        row.archived_at or 0,
        row.file_md5,
        row.file_sha256,
        archive_path=row.archive_path or "",
        held=True,
    )


def _of_upload(row: Row[*tuple[Any, ...]], *, held: bool = False, arriving: bool = False) -> Item:
    return Item(
        f"u{row.id}",
        row.name,
        row.size,
        row.received_at or row.heard_at,
        row.md5,
        row.sha256,
        row.token,
        row.realm,
        row.account_id,
        held=held,
        arriving=arriving,
    )


def item_at(dataset_id: int, path: str) -> Item | None:
    return next(iter(items(dataset_id, lambda name: name == path)), None)


def below(path: str) -> Condition:
    """The condition of names in a folder, at any depth; all for the place itself."""
    prefix = f"{path}/" if path else ""
    return lambda name: and_(name >= prefix, name < prefix + LAST)


def made_folders(dataset_id: int, path: str) -> list[Row[*tuple[Any, ...]]]:
    """(path, made_at) of the folders that were made at or below a path."""
    query = select(DatasetFolder.path, DatasetFolder.made_at).where(DatasetFolder.dataset_id == dataset_id)
    if path:
        inside = func.substr(DatasetFolder.path, 1, len(path) + 1) == f"{path}/"
        query = query.where(or_(DatasetFolder.path == path, inside))
    return list(db.session.execute(query))
