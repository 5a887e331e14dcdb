"""The blueprint that the operator's pages hang on, and what they all need."""

from typing import Any, TypeVar

from flask import Blueprint, render_template, request

from portal import db, errors
from portal.models import Job, Mail
from portal.queries import operations
from portal.web import guards

bp = Blueprint("admin", __name__, url_prefix="/admin")
Model = TypeVar("Model")


@bp.get("")
@guards.curator_only
def overview() -> str:
    return render_template("admin/overview.html", mails=operations.counts(Mail), jobs=operations.counts(Job))


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
