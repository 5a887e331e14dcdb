"""The files: every upload of mine by period, state, type, realm, dataset and text, with its comments."""

from datetime import date, timedelta
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from portal import clock, inspection
from portal.config import settings
from portal.models import Account
from portal.queries.datasets import revision
from portal.queries.files import delays
from portal.queries.tracking import submissions, tracking, upload_filter
from portal.queries.tracking.upload_filter import Filter
from portal.web import htmx, permissions
from portal.web.tracking.blueprint import NAMES, bp, given_filter, here

WORDS = {"arrived": "Upload, received", "name": "Name, MD5", "size": "Size, type"}


@bp.get("")
@permissions.signed_in
def listing() -> Response:
    me = permissions.account()
    rev = revision.of_account(me)
    if htmx.is_htmx() and request.args.get("rev") == rev:
        return htmx.unchanged()
    criteria = given_filter(me)
    surveyed = tracking.survey(me, criteria)
    page = tracking.page(
        me, criteria, surveyed, after=request.args.get("after", ""), before=request.args.get("before", "")
    )
    context: dict[str, Any] = {
        "page": page,
        "count": surveyed.count,
        "rev": rev,
        "wanted": criteria,
        "here": here(*NAMES),
        "place": here("after", "before"),
        "delays": delays.of((row.upload, row.file) for row in page.rows),
        "sorts": sorts(criteria),
        "moving": any(row.work for row in page.rows),
    }
    if not htmx.is_htmx():
        context |= {
            "views": upload_filter.VIEWS,
            "types": [(kind, kind) for kind in inspection.TYPES],
            "tabs": submissions.tabs(me),
            "spans": spans(me),
        }
    return htmx.fragment_or_page("tracking/_files.html", "tracking/files.html", **context)


def sorts(criteria: Filter) -> dict[str, dict[str, str]]:
    """The heads that sort: where a press leads, and how it is sorted now."""
    links = {}
    for key, word in WORDS.items():
        falling = not criteria.falling if criteria.key == key else key != "name"
        address = url_for("tracking.listing", **here(*NAMES) | {"sort": f"{'-' if falling else ''}{key}"})
        links[key] = {"label": word, "sort": address}
        if criteria.key == key:
            links[key]["sorted"] = "descending" if criteria.falling else "ascending"
    return links


def spans(account: Account) -> list[tuple[str, str]]:
    """Periods that one press away: (word, address)."""
    zone = settings().timezone
    today, oldest = clock.today(zone), tracking.oldest(account)
    links = [
        ("7 days", today - timedelta(days=7)),
        ("30 days", today - timedelta(days=30)),
        ("this year", date(today.year, 1, 1)),
    ]
    if oldest is not None:
        first = clock.day_of(oldest, zone)
        links.append((f"everything since {first.year}", first))
    rest = {name: value for name, value in here(*NAMES).items() if name not in ("from", "to")}
    return [(word, url_for("tracking.listing", **rest | {"from": begin.isoformat()})) for word, begin in links]
