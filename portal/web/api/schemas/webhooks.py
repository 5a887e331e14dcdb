"""Webhooks and the events that they are sent."""

from portal import states
from portal.web.api.schemas.kinds import MAYBE_TEXT, MAYBE_WHOLE, TEXT, WHOLE, Schema, maybe, takes, thing

WEBHOOK = {
    "id": WHOLE,
    "address": TEXT,
    "label": TEXT,
    "state": {"enum": list(states.WEBHOOK.states)},
    "why": TEXT,
    "last_event": WHOLE,
    "delivered": MAYBE_TEXT,
    "attempts": WHOLE,
    "failing_since": MAYBE_TEXT,
    "next_attempt": MAYBE_TEXT,
    "created": TEXT,
}
SCHEMAS: dict[str, Schema] = {
    "WebhookFields": takes({"address": {"type": "string", "format": "uri"}, "label": TEXT}, "address"),
    "Webhook": thing(WEBHOOK),
    "NewWebhook": thing({**WEBHOOK, "secret": TEXT}),
    "WebhookTry": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "message": TEXT,
            "action": TEXT,
            "event": MAYBE_WHOLE,
            "status": MAYBE_WHOLE,
            "says": TEXT,
            "took_ms": WHOLE,
        }
    ),
    "Event": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "action": TEXT,
            "actor": MAYBE_WHOLE,
            "dataset": MAYBE_WHOLE,
            "file": MAYBE_WHOLE,
            "upload": MAYBE_WHOLE,
            "before": maybe({"type": "object"}),
            "after": maybe({"type": "object"}),
            "note": TEXT,
        }
    ),
}
