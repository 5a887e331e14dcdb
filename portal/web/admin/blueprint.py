"""The blueprint of the operator's pages, and what they all need."""

from typing import Any, TypeVar

from flask import Blueprint, request

from portal import db, errors

bp = Blueprint("admin", __name__, url_prefix="/admin")
Model = TypeVar("Model")


def row_or_404(model: type[Model], row_id: int) -> Model:
    """The row of this id. Raises NotFound."""
    row = db.session.get(model, row_id)
    if row is None:
        raise errors.NotFound(errors.NO_SUCH_ROW)
    return row


def filters(*names: str) -> dict[str, Any]:
    """The filters of a list in the address, which its links repeat."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def chosen(allowed: tuple[str, ...]) -> tuple[str, int]:
    """The filter of a list by state, and the id before which the page begins; both from the address."""
    state = request.args.get("state", "")
    return state if state in allowed else "", request.args.get("before", 0, type=int)
