"""Tracking: my files that are not loaded yet, the last week by default, with their comments."""

from datetime import date, timedelta

from flask import Blueprint, request
from werkzeug.wrappers import Response

from portal import clock
from portal.config import settings
from portal.queries import revision, tracking
from portal.web import guards, htmx

bp = Blueprint("tracking", __name__, url_prefix="/tracking")
NAMES = ("from", "to", "text", "state", "after", "before")


@bp.get("")
@guards.signed_in
def listing() -> Response:
    me, asked = guards.account(), request.args
    rev = revision.of_account(me)
    if htmx.is_htmx() and asked.get("rev") == rev:
        return htmx.unchanged()
    first, last = period()
    page = tracking.page(me, first=first, last=last, text=asked.get("text", ""), state=asked.get("state", ""),
                         after=asked.get("after", ""), before=asked.get("before", ""))  # fmt: skip
    here = {name: asked[name] for name in NAMES if asked.get(name)}
    moving = any(row.upload.state in ("receiving", "checking") for row in page.rows)
    return htmx.fragment_or_page("tracking/_list.html", "tracking/list.html", page=page, rev=rev, here=here,
                                 first=first, last=last, asked=asked, moving=moving)  # fmt: skip


def period() -> tuple[date, date]:
    """The asked days, both included; a week to today where they are not asked or make no sense."""
    today = clock.today(settings().timezone)
    last = day(request.args.get("to"), today)
    return day(request.args.get("from"), last - timedelta(days=7)), last


def day(text: str | None, otherwise: date) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return otherwise
