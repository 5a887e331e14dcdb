"""The paths under which something may enter an area, whatever the door: well-formed, not kept for released datasets,
and no file where a folder is or the other way round."""

import re

from sqlalchemy import ColumnElement, bindparam, select, union_all

from portal import db, errors, states
from portal.config import settings
from portal.domain.permissions import access
from portal.domain.shared import path_names
from portal.domain.shared.path_names import IsFree
from portal.messages import Message, say
from portal.models import Dataset, File, Folder, Upload

_ANCESTORS, _PATH, _INSIDE, _BEHIND = "ancestors", "path", "inside", "behind"
_HERE = (states.RECEIVING, *states.LISTED)


def clean(path: str, *, with_companions: bool = True, is_free: IsFree | None = None) -> str:
    """The path as it is stored. Raises BadName, for one that released datasets bear too."""
    name = path_names.clean(path, with_companions=with_companions, is_free=is_free)
    if reason := reserved(name):
        raise errors.BadName(reason)
    return name


def reserved(name: str) -> Message | None:
    """Why a well-formed path may not be used all the same; None when it may."""
    first = name.strip("/").partition("/")[0]
    kept = re.fullmatch(rf"{settings().prefix}(\d{{6,}})?", first)
    text = "Names such as {name} are kept for released datasets. Choose another name."
    return say("path_reserved", text, name=first) if kept else None


def free_in(account_id: int, area: str, realm: str) -> IsFree:
    """Whether nothing has a name yet: no upload of the area, no file that an open dataset of the account declares."""

    def is_free(name: str) -> bool:
        here = select(Upload.id).where(
            Upload.account_id == account_id,
            Upload.area == area,
            Upload.realm == realm,
            Upload.name == name,
            Upload.state.in_(_HERE),
        )
        declared = (
            select(File.id)
            .join(Dataset, Dataset.id == File.dataset_id)
            .where(
                access.editable_by(account_id),
                Dataset.state.in_(states.OPEN_DATASETS),
                File.name == name,
                File.state.not_in(states.DEAD_FILES),
            )
        )
        return db.session.scalar(here.limit(1)) is None and db.session.scalar(declared.limit(1)) is None

    return is_free


def _mine(table: type[Upload] | type[Folder]) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the area that the bound parameters name."""
    return tuple(getattr(table, name) == bindparam(name) for name in ("account_id", "area", "realm"))


_NAMES = (*_mine(Upload), Upload.state.in_(_HERE), Upload.dataset_id.is_(None))
_FILES_ABOVE = select(Upload.name).where(*_NAMES, Upload.name.in_(bindparam(_ANCESTORS, expanding=True)))
_BELOW = select(Upload.name).where(*_NAMES, Upload.name > bindparam(_INSIDE), Upload.name < bindparam(_BEHIND))
_MADE = select(Folder.path).where(*_mine(Folder))
_IS_FOLDER = _MADE.where(Folder.path == bindparam(_PATH))
_HOLDS_FOLDER = _MADE.where(Folder.path > bindparam(_INSIDE), Folder.path < bindparam(_BEHIND))
_CROSSING = union_all(_FILES_ABOVE, _BELOW, _IS_FOLDER, _HOLDS_FOLDER).limit(1)


def refuse_folder(account_id: int, area: str, realm: str, name: str) -> None:
    """Raises Conflict where a file cannot have this name: it is a folder's, or what should be its folder is a file."""
    values = {
        "account_id": account_id,
        "area": area,
        "realm": realm,
        _PATH: name,
        _ANCESTORS: above(name) or [""],
        _INSIDE: f"{name}/",
        _BEHIND: f"{name}0",
    }
    obstacle = db.session.connection().execute(_CROSSING, values).scalars().first()
    if obstacle is not None:
        raise _conflict(obstacle, name)


def refuse_file_above(account_id: int, area: str, realm: str, name: str) -> None:
    """Raises Conflict where one of the folders of a path is a file."""
    values = {"account_id": account_id, "area": area, "realm": realm, _ANCESTORS: above(name) or [""]}
    file_above = db.session.connection().execute(_FILES_ABOVE, values).scalars().first()
    if file_above is not None:
        raise _conflict(file_above, name)


def above(name: str) -> list[str]:
    """The folders that a path lies in."""
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _conflict(path: str, name: str) -> errors.Conflict:
    return errors.Conflict(below_file(path) if name.startswith(f"{path}/") else is_folder(name))


def below_file(path: str) -> Message:
    """The fault of a path in a folder that is a file."""
    text = "{path} is a file, so nothing can lie in it. Choose another folder or rename it."
    return say("path_below_file", text, path=path)


def is_folder(name: str) -> Message:
    """The fault of a file whose name is a folder's."""
    return say("path_is_folder", "{path} is a folder already. Choose another name for the file.", path=name)
