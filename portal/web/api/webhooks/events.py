"""What changed, in order, for programs that follow."""

from portal.queries.datasets import api_lists
from portal.web import permissions
from portal.web.api.blueprint import bp, described, limit, listing, number


@bp.get("/events")
@described(answer="Event", lists=True)
def list_events():
    """What happened to my datasets and uploads since an event id, oldest first; for curators everything."""
    found = api_lists.events(permissions.account(), since=number("since", 0), limit=limit() + 1)
    return listing(found, api_lists.told, lambda event: event.id, "since")
