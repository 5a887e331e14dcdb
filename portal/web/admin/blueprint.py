"""The blueprint that the operator's pages hang on, and what they all need."""

from typing import Any, TypeVar

from flask import Blueprint, request

from portal import db, errors

bp = Blueprint("admin", __name__, url_prefix="/admin")
Model = TypeVar("Model")


def row_or_404(model: type[Model], row_id: int) -> Model:
    row = db.session.get(model, row_id)
    if row is None:
        raise errors.NotFound("There is nothing of this number.")
    return row


def asked(*names: str) -> dict[str, Any]:
    """The filters of a list that were given, for its links too."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def chosen(allowed: tuple[str, ...]) -> tuple[str, int]:
    """The filter of a list by state, and the id to go on before."""
    state = request.args.get("state", "")
    return state if state in allowed else "", request.args.get("before", 0, type=int)
