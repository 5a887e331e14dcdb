"""The paths under which something may enter an area, whatever the door: well-formed, not kept for released datasets,
and no file where a folder is or the other way round."""

import re

from sqlalchemy import bindparam, select, union_all

from portal import db, errors, states
from portal.config import settings
from portal.domain.shared import path_names
from portal.models import Folder, Upload

_ANCESTORS, _PATH, _INSIDE, _BEHIND = "ancestors", "path", "inside", "behind"
_HERE = (states.RECEIVING, *states.LISTED)


def clean(path: str) -> str:
    """The path as it is stored. Raises BadName, for one that released datasets bear too."""
    name = path_names.clean(path)
    if reason := reserved(name):
        raise errors.BadName(reason)
    return name


def reserved(name: str) -> str:
    """Why a well-formed path may not be used all the same; empty when it may."""
    first = name.strip("/").partition("/")[0]
    kept = re.fullmatch(rf"{settings().prefix}(\d{{6,}})?", first)
    return f"Names such as {first} are kept for released datasets. Choose another name." if kept else ""


def _mine(table) -> tuple:
    return tuple(getattr(table, name) == bindparam(name) for name in ("account_id", "area", "realm"))


_NAMES = (*_mine(Upload), Upload.state.in_(_HERE))
_FILES_ABOVE = select(Upload.name).where(*_NAMES, Upload.name.in_(bindparam(_ANCESTORS, expanding=True)))
_BELOW = select(Upload.name).where(*_NAMES, Upload.name > bindparam(_INSIDE), Upload.name < bindparam(_BEHIND))
_MADE = select(Folder.path).where(*_mine(Folder))
_IS_FOLDER = _MADE.where(Folder.path == bindparam(_PATH))
_HOLDS_FOLDER = _MADE.where(Folder.path > bindparam(_INSIDE), Folder.path < bindparam(_BEHIND))
_CROSSING = union_all(_FILES_ABOVE, _BELOW, _IS_FOLDER, _HOLDS_FOLDER).limit(1)


def refuse_folder(account_id: int, area: str, realm: str, name: str) -> None:
    """Raises Conflict where a file cannot have this name: it is a folder's, or what should be its folder is a file."""
    known = {
        "account_id": account_id,
        "area": area,
        "realm": realm,
        _PATH: name,
        _ANCESTORS: _above(name),
        _INSIDE: f"{name}/",
        _BEHIND: f"{name}0",
    }
    found = db.session.connection().execute(_CROSSING, known).scalars().first()
    if found is not None:
        raise _conflict(found, name)


def refuse_file_above(account_id: int, area: str, realm: str, name: str) -> None:
    """Raises Conflict where one of the folders of a path is a file."""
    known = {"account_id": account_id, "area": area, "realm": realm, _ANCESTORS: _above(name)}
    found = db.session.connection().execute(_FILES_ABOVE, known).scalars().first()
    if found is not None:
        raise _conflict(found, name)


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))] or [""]


def _conflict(found: str, name: str) -> errors.Conflict:
    if name.startswith(f"{found}/"):
        return errors.Conflict(f"{found} is a file, so nothing can lie in it. Choose another folder or rename it.")
    return errors.Conflict(f"{name} is a folder already. Choose another name for the file.")
