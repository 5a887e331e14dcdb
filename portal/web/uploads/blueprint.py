"""The blueprint of the area, and how its changes are done and said."""

from collections.abc import Callable

from flask import Blueprint, flash, url_for

from portal import errors
from portal.domain.uploads.uploads import Place
from portal.ingest import copy_move
from portal.web import permissions

bp = Blueprint("uploads", __name__, url_prefix="/area")
VERBS: dict[str, tuple[Callable[[int, Place, Place], int], str]] = {
    "rename": (copy_move.move, "is called"),
    "move": (copy_move.move, "lies at"),
    "copy": (copy_move.copy, "is copied to"),
}
ADVICE = (errors.Invalid, errors.Conflict, errors.NotFound, errors.QuotaExceeded, errors.DiskFull)


def carry(verb: str, old: Place, new: Place) -> int:
    """Rename, move or copy for whoever asks."""
    return VERBS[verb][0](permissions.account().id, old, new)


def flash_count(count: int, what: str) -> None:
    flash(f"{count:,} file{' is' if count == 1 else 's are'} {what}.", "ok")


def home(**query: str) -> str:
    return url_for("uploads.listing", **query)  # type: ignore[arg-type]
