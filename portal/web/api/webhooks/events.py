"""What changed, in order, for programs that follow."""

from typing import Any

from portal.domain.webhooks import event_feed
from portal.web import permissions
from portal.web.api.blueprint import bp, described, limit, listing, number


@bp.get("/events")
@described(answer="Event", lists=True)
def list_events() -> dict[str, Any]:
    """What happened to my datasets and uploads since an event id, oldest first; for curators everything."""
    events = event_feed.events(permissions.account(), since=number("since", 0), limit=limit() + 1)
    return listing(events, event_feed.document, lambda event: event.id, "since")
