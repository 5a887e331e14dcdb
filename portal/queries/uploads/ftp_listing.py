"""Reads behind the FTP tree: one folder of an area or of a released dataset, set-based however many entries it has."""

from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal import db, states
from portal.domain.permissions import active_grants
from portal.domain.uploads.uploads import SHOWS_IN_BOX, Place
from portal.models import Dataset, File, Folder, RequestFile, Upload

SHOWN = (states.RECEIVING, *states.LISTED)
NEWEST_DATASETS = 10_000
LAST = "\U0010ffff"

UPLOAD_FACTS = (
    Upload.id,
    Upload.token,
    Upload.name,
    Upload.base,
    Upload.size,
    Upload.bytes_done,
    Upload.state,
    Upload.md5,
    Upload.sha256,
    Upload.heard_at,
    Upload.received_at,
    Upload.dataset_id,
)
FILE_FACTS = (
    File.id,
    File.n,
    File.name,
    File.base,
    File.size,
    File.md5,
    File.sha256,
    File.archive_path,
    File.archived_at,
    File.fixity,
)


def _prefix(path: str) -> str:
    return f"{path}/" if path else ""


def _below(column: InstrumentedAttribute[str], prefix: str) -> list[ColumnElement[bool]]:
    return [column >= prefix, column < prefix + LAST] if prefix else []


_NEWEST_LAST = (Upload.dataset_id.is_(None), Upload.id)


def _mine(account_id: int, area: str, realm: str) -> tuple[ColumnElement[bool], ...]:
    here = (Upload.account_id == account_id, Upload.area == area, Upload.realm == realm)
    return *here, Upload.state.in_(SHOWN), SHOWS_IN_BOX


def upload_at(account_id: int, place: Place) -> Row[*tuple[Any, ...]] | None:
    """The newest upload of a name, one that is still arriving included."""
    query = select(*UPLOAD_FACTS).where(*_mine(account_id, place.area, place.realm), Upload.name == place.name)
    newest_first = [column.desc() for column in _NEWEST_LAST]
    return db.session.execute(query.order_by(*newest_first).limit(1)).first()


def uploads_in(account_id: int, area: str, realm: str, path: str) -> list[Row[*tuple[Any, ...]]]:
    """The newest upload of each name that lies directly in a folder."""
    prefix = _prefix(path)
    direct = Upload.name == prefix + Upload.base
    query = select(*UPLOAD_FACTS).where(*_mine(account_id, area, realm), *_below(Upload.name, prefix), direct)
    newest = {row.name: row for row in db.session.execute(query.order_by(*_NEWEST_LAST))}
    return list(newest.values())


def folders_in(account_id: int, area: str, realm: str, path: str) -> dict[str, int]:
    """The folders directly in a folder, each with when it last changed: those made and those that hold uploads."""
    prefix = _prefix(path)
    parent = func.substr(Upload.name, 1, func.length(Upload.name) - func.length(Upload.base))
    held = (
        select(parent, func.max(Upload.heard_at))
        .where(*_mine(account_id, area, realm), *_below(Upload.name, prefix), Upload.name != Upload.base)
        .group_by(parent)
    )
    made = select(Folder.path, Folder.made_at).where(
        Folder.account_id == account_id, Folder.area == area, Folder.realm == realm, *_below(Folder.path, prefix)
    )
    return _first_segments(prefix, [*db.session.execute(held), *db.session.execute(made)])


def _first_segments(prefix: str, rows: list[Row[*tuple[Any, ...]]]) -> dict[str, int]:
    segments: dict[str, int] = {}
    for folder, changed in rows:
        segment = folder[len(prefix) :].split("/", 1)[0]
        if segment:
            segments[segment] = max(segments.get(segment, 0), changed or 0)
    return segments


def is_folder(account_id: int, area: str, realm: str, path: str) -> bool:
    """Whether a path is a folder: made, or with something in it."""
    prefix = _prefix(path)
    query = select(Upload.id).where(*_mine(account_id, area, realm), *_below(Upload.name, prefix))
    if db.session.scalar(query.limit(1)) is not None:
        return True
    made = select(Folder.path).where(Folder.account_id == account_id, Folder.area == area, Folder.realm == realm)
    if db.session.scalar(made.where(Folder.path == path)) is not None:
        return True
    return db.session.scalar(made.where(*_below(Folder.path, prefix)).limit(1)) is not None


def open_datasets() -> list[Row[*tuple[Any, ...]]]:
    """The newest released open datasets."""
    query = select(Dataset.accession, Dataset.released_at).where(
        Dataset.state == states.RELEASED, Dataset.access == "open", Dataset.accession.is_not(None)
    )
    return list(
        db.session.execute(query.order_by(Dataset.released_at.desc(), Dataset.id.desc()).limit(NEWEST_DATASETS))
    )


def open_dataset(accession: str) -> Row[*tuple[Any, ...]] | None:
    """A dataset whose bytes anybody may have now: listed, or suppressed and known by its accession."""
    query = select(Dataset.id, Dataset.accession, Dataset.realm, Dataset.released_at).where(
        Dataset.accession == accession, Dataset.state.in_(active_grants.PUBLIC), Dataset.access == "open"
    )
    return db.session.execute(query).first()


def granted_dataset(accession: str, account_id: int) -> Row[*tuple[Any, ...]] | None:
    """A controlled dataset that is granted to an account now; `bound` is its request where only chosen files are."""
    return next((row for row in active_grants.granted_to(account_id) if row.accession == accession), None)


def _archived(dataset_id: int, bound: int | None) -> tuple[ColumnElement[bool], ...]:
    """The files of a dataset that lie in the archive; with `bound` those to which that grant is bound."""
    mine = (File.dataset_id == dataset_id, File.state == states.ARCHIVED)
    if bound is None:
        return mine
    return *mine, File.id.in_(select(RequestFile.file_id).where(RequestFile.request_id == bound))


def file_at(dataset_id: int, path: str, bound: int | None = None) -> Row[*tuple[Any, ...]] | None:
    query = select(*FILE_FACTS).where(*_archived(dataset_id, bound), File.name == path)
    return db.session.execute(query).first()


def files_in(dataset_id: int, path: str, bound: int | None = None) -> list[Row[*tuple[Any, ...]]]:
    """The archived files directly in a folder of a dataset."""
    prefix = _prefix(path)
    query = select(*FILE_FACTS).where(
        *_archived(dataset_id, bound), *_below(File.name, prefix), File.name == prefix + File.base
    )
    return list(db.session.execute(query.order_by(File.n)))


def file_folders_in(dataset_id: int, path: str, bound: int | None = None) -> dict[str, int]:
    prefix = _prefix(path)
    parent = func.substr(File.name, 1, func.length(File.name) - func.length(File.base))
    query = (
        select(parent, func.max(File.archived_at))
        .where(*_archived(dataset_id, bound), *_below(File.name, prefix), File.name != File.base)
        .group_by(parent)
    )
    return _first_segments(prefix, list(db.session.execute(query)))


def digests(dataset_id: int, bound: int | None = None) -> list[Row[*tuple[Any, ...]]]:
    """Name and MD5 of all archived files of a dataset, in their order."""
    query = select(File.name, File.md5).where(*_archived(dataset_id, bound)).order_by(File.n)
    return list(db.session.execute(query))
