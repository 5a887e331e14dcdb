"""What changed, in order, for programs that follow."""

from portal.queries import catalogue
from portal.web import guards
from portal.web.api.blueprint import bp, described, limit, listing, number


@bp.get("/events")
@described(answer="Event", lists=True)
def list_events():
    """What happened to my datasets and uploads since an event id, oldest first; for curators everything."""
    found = catalogue.events(guards.account(), since=number("since", 0), limit=limit() + 1)
    return listing(found, catalogue.told, lambda event: event.id, "since")
