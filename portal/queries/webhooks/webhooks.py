"""Reads of webhooks for pages and the API."""

from sqlalchemy import select

from portal import clock, db, states
from portal.domain.webhooks import deliveries, event_feed, subscriptions
from portal.models import Webhook, WebhookTry

COUNTED, LOOKED_AT = 100, 50_000


def shown(hook: Webhook) -> states.Shown:
    """The pill of a webhook: one that is tried again is told apart."""
    failing = hook.state == states.ACTIVE and hook.failing_since is not None
    return states.SHOWN_WEBHOOK["failing" if failing else hook.state]


def waiting(hook: Webhook) -> tuple[int, bool]:
    """How many events were not taken yet, and whether there may be more: neither counts nor looks without end."""
    until = hook.cursor + LOOKED_AT
    events = event_feed.events(hook.account, since=hook.cursor, until=until, limit=COUNTED + 1)
    return min(len(events), COUNTED), len(events) > COUNTED or until < subscriptions.newest_event()


def is_testing(hook: Webhook) -> bool:
    """Whether a test is under way, and not for so long that nobody waits for it any more."""
    return hook.test_at is not None and hook.test_at > clock.now() - clock.MINUTE


def tries(hook: Webhook, *, after: int = 0, limit: int = deliveries.KEPT) -> list[WebhookTry]:
    """The last attempts, newest first."""
    query = select(WebhookTry).where(WebhookTry.webhook_id == hook.id)
    if after:
        query = query.where(WebhookTry.id < after)
    return list(db.session.scalars(query.order_by(WebhookTry.id.desc()).limit(limit)))
