"""Webhooks by API: what the page of the account does, for programs."""

from typing import Any

from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.shared import outbound_hosts
from portal.domain.webhooks import subscriptions
from portal.messages import say
from portal.models import Webhook, WebhookTry
from portal.queries.webhooks import webhooks as read
from portal.web import permissions
from portal.web.api.blueprint import body, bp, described, limit, listing, number
from portal.web.api.documents import moment

ACTIONS = {"pause": subscriptions.pause, "resume": subscriptions.resume, "test": subscriptions.ask_test}


@bp.get("/webhooks")
@described(answer="Webhook", lists=True)
def list_webhooks() -> dict[str, Any]:
    """The webhooks of my account."""
    return {"items": [of_webhook(hook) for hook in subscriptions.of(permissions.account())], "next": None}


@bp.post("/webhooks")
@described(body="WebhookFields", answer="NewWebhook", status=201)
def add_webhook() -> ResponseReturnValue:
    """Register an address: {address, label}. Events are sent there from now on; `secret`, with which each message is
    signed, is told this once. 422 when the address is not public."""
    me, given = permissions.account(), body()
    address = outbound_hosts.check(str(given.get("address") or ""))
    with db.transaction():
        hook = subscriptions.add(me, address, label=str(given.get("label") or ""), actor=me)
    return of_webhook(hook) | {"secret": hook.secret}, 201


@bp.get("/webhooks/<int:webhook_id>")
@described(answer="Webhook")
def show_webhook(webhook_id: int) -> dict[str, Any]:
    """One webhook."""
    return of_webhook(subscriptions.find(permissions.account(), webhook_id))


@bp.delete("/webhooks/<int:webhook_id>")
@described(status=204)
def remove_webhook(webhook_id: int) -> ResponseReturnValue:
    """Forget an address and its log."""
    with db.transaction():
        subscriptions.remove(subscriptions.find(permissions.account(), webhook_id), actor=permissions.account())
    return "", 204


@bp.post("/webhooks/<int:webhook_id>/actions/<action>")
@described(answer="Webhook")
def act_on_webhook(webhook_id: int, action: str) -> dict[str, Any]:
    """`pause` it, `resume` it where it stopped, or send a `test` at once. 409 when it is paused, or active, already."""
    if action not in ACTIONS:
        raise errors.NotFound(
            say(
                "webhook_action_unknown",
                "There is no action {action!r}; there are {actions}.",
                action=action,
                actions=", ".join(ACTIONS),
            )
        )
    with db.transaction():
        hook = subscriptions.find(permissions.account(), webhook_id)
        ACTIONS[action](hook, actor=permissions.account())
    return of_webhook(hook)


@bp.get("/webhooks/<int:webhook_id>/tries")
@described(answer="WebhookTry", lists=True)
def list_tries(webhook_id: int) -> dict[str, Any]:
    """The last 200 attempts, newest first."""
    hook = subscriptions.find(permissions.account(), webhook_id)
    tries = read.tries(hook, after=number("after", 0), limit=limit() + 1)
    return listing(tries, of_try, lambda row: row.id)


def of_webhook(hook: Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "address": hook.address,
        "label": hook.label,
        "state": hook.state,
        "why": hook.why,
        "last_event": hook.cursor,
        "delivered": moment(hook.delivered_at),
        "attempts": hook.attempts,
        "failing_since": moment(hook.failing_since),
        "next_attempt": moment(hook.next_at),
        "created": moment(hook.created_at),
    }


def of_try(row: WebhookTry) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": moment(row.at),
        "message": row.message,
        "action": row.action,
        "event": row.event_id,
        "status": row.status,
        "says": row.says,
        "took_ms": row.took,
    }
