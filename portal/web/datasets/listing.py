"""The list of my datasets, in two tabs; it asks for itself again while something moves."""

from flask import Response, request

from portal.domain.accounts import editors
from portal.queries.datasets import datasets, revision
from portal.web import htmx, permissions
from portal.web.datasets.blueprint import bp


@bp.get("/deposit")
@permissions.signed_in
def listing() -> Response:
    me, args = permissions.account(), request.args
    rev = revision.of_account(me)
    if htmx.is_htmx() and args.get("rev") == rev:
        return htmx.unchanged()
    tab = args["tab"] if args.get("tab") in datasets.TABS else "attention"
    page = datasets.mine(me, tab, after=args.get("after", ""), before=args.get("before", ""))
    return htmx.fragment_or_page(
        "datasets/_list.html",
        "datasets/list.html",
        page=page,
        tab=tab,
        counts=datasets.tab_counts(me),
        rev=rev,
        here={name: args[name] for name in ("tab", "after", "before") if args.get(name)},
        moving=datasets.moving(me, page.rows),
        invitations=editors.invitations(me),
        shared=editors.shared_with(me),
    )
