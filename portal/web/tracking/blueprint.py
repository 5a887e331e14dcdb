"""The blueprint of tracking, and what its query strings mean. What makes no sense is as if it were not asked."""

from collections.abc import Container
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, request

from portal import clock, inspection
from portal.config import settings
from portal.models import Account
from portal.queries.tracking import submissions, upload_filter
from portal.queries.tracking.upload_filter import Filter

bp = Blueprint("tracking", __name__, url_prefix="/tracking")
NAMES = ("from", "to", "state", "type", "realm", "dataset", "text", "problems", "sort")
NOBODYS = -1


def here(*names: str) -> dict[str, Any]:
    """The parts of the query string that a link to the same view carries."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def one_of(name: str, allowed: Container[str], otherwise: str = "") -> str:
    value = request.args.get(name, otherwise)
    return value if value in allowed else otherwise


def given_filter(account: Account) -> Filter:
    """What the filter of files asks for: not yet loaded, the last week, unless it says otherwise."""
    first, last = period()
    text = request.args.get("text", "").strip()
    ref = request.args.get("dataset", "").strip()
    if not ref and text.upper().startswith(settings().prefix) and submissions.own(account, text) is not None:
        ref, text = text, ""
    dataset = submissions.own(account, ref) if ref else None
    plain = request.args.get("sort", "").removeprefix("-")
    return Filter(
        first=first,
        last=last,
        state=one_of("state", upload_filter.VIEWS),
        realm=one_of("realm", upload_filter.REALMS),
        file_type=one_of("type", inspection.TYPES),
        dataset=dataset.id if dataset else NOBODYS if ref else None,
        text=text,
        problems=bool(request.args.get("problems")) or request.args.get("state") == "problems",
        sort=request.args["sort"] if plain in upload_filter.SORTS else "-arrived",
    )


def period() -> tuple[date, date]:
    """The asked days, both included; a week to today where they are not asked or make no sense."""
    today = clock.today(settings().timezone)
    last = day(request.args.get("to"), today)
    return day(request.args.get("from"), last - timedelta(days=7)), last


def day(text: str | None, otherwise: date) -> date:
    try:
        return max(date(1970, 1, 2), min(date(9999, 12, 30), date.fromisoformat(text or "")))
    except ValueError:
        return otherwise
