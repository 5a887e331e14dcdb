"""The curators' queue: what waits, for whom, how long."""

from flask import request
from werkzeug.wrappers import Response

from portal.domain.datasets import failed_work
from portal.queries.datasets import revision
from portal.queries.files import tallies
from portal.queries.review import review
from portal.web import htmx, permissions
from portal.web.review.blueprint import bp


@bp.get("/review")
@permissions.curator_only
def listing() -> Response:
    """The longest waiting first; 204 to a poll when nothing has changed."""
    args, rev = request.args, revision.of_all()
    if htmx.is_htmx() and args.get("rev") == rev:
        return htmx.unchanged()
    here = {name: args[name] for name in ("tab", *review.FILTERS, "after", "before") if args.get(name)}
    filters = {name: here[name] for name in review.FILTERS if name in here}
    tab = here.get("tab") or args.get("state") or ("all" if filters.get("waits") else "submitted")
    tab = tab if tab in review.TABS else "submitted"
    page = review.queue(
        permissions.account(), tab=tab, filters=filters, after=here.get("after", ""), before=here.get("before", "")
    )
    counted = tallies.files(row.dataset.id for row in page.rows)
    return htmx.fragment_or_page(
        "review/_list.html",
        "review/list.html",
        page=page,
        counts=counted,
        tab=tab,
        rev=rev,
        waiting=review.waiting(),
        failed_work=failed_work.everywhere(),
        here=here,
        filters=filters,
        choices=review.choices(),
    )
