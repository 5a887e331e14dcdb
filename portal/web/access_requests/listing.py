"""Requests: what I asked, and what is asked of me."""

from flask import render_template, request

from portal import states
from portal.queries.access_requests import requests as listed
from portal.web import permissions
from portal.web.access_requests.blueprint import bp


@bp.get("/requests")
@permissions.signed_in
def listing() -> str:
    me, query = permissions.account(), request.args
    counts = listed.counts(me)
    decides = listed.decides_anything(me) or any(counts[tab] for tab in counts if tab != "mine")
    tab = query.get("tab", "") if query.get("tab") in listed.TABS else "waiting" if counts["waiting"] else "mine"
    page = listed.page(me, tab, after=query.get("after", ""), before=query.get("before", ""))
    return render_template(
        "access_requests/list.html",
        page=page,
        tab=tab,
        counts=counts,
        decides=decides,
        shown=states.SHOWN_REQUEST,
        controlled=listed.controlled(me),
    )
