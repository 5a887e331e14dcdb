"""The list of my datasets: two tabs, searched, filtered and sorted; it asks for itself again while something moves."""

from flask import Response, request

from portal import states
from portal.domain.accounts import editors
from portal.queries.datasets import datasets, listed, revision
from portal.web import htmx, permissions
from portal.web.datasets.blueprint import bp


def chosen() -> listed.Filter:
    """The filter of the query string; what it does not know is left out."""
    args = request.args
    tab = args["tab"] if args.get("tab") in listed.TABS else "attention"
    state = args["state"] if args.get("state") in listed.TABS[tab] else ""
    sort = args["sort"] if args.get("sort") in listed.SORTS else ""
    return listed.Filter(tab, args.get("q", "")[:200], state, args.get("needs") == "1", sort)


@bp.get("/deposit")
@permissions.signed_in
def listing() -> Response:
    me, args = permissions.account(), request.args
    rev = revision.of_account(me)
    if htmx.is_htmx() and args.get("rev") == rev:
        return htmx.unchanged()
    asked = chosen()
    page = datasets.mine(me, asked, after=args.get("after", ""), before=args.get("before", ""))
    fields = {"tab": asked.tab, "q": asked.text, "state": asked.state, "needs": "1" * asked.needs, "sort": asked.sort}
    filtered = {name: value for name, value in fields.items() if value}
    return htmx.fragment_or_page(
        "datasets/_list.html",
        "datasets/list.html",
        page=page,
        tab=asked.tab,
        asked=asked,
        pills=[(state, states.SHOWN_DATASET[state].word) for state in listed.TABS[asked.tab]],
        counts=listed.tab_counts(me),
        rev=rev,
        filtered=filtered,
        here=filtered | {name: args[name] for name in ("after", "before") if args.get(name)},
        moving=datasets.moving(me, page.rows),
        invitations=editors.invitations(me),
        shared=editors.shared_with(me),
    )
