"""Webhooks: addresses to which an account gets its events. domain/deliveries.py says what is sent there and when."""

import base64
import secrets

from sqlalchemy import func, select

from portal import clock, db, errors
from portal.domain.shared import history, job_queue, text_rules, transitions
from portal.domain.shared.outbound_hosts import Address
from portal.messages import say
from portal.models import Account, Event, Webhook

MOST = 10


def of(account: Account) -> list[Webhook]:
    return list(db.session.scalars(select(Webhook).where(Webhook.account_id == account.id).order_by(Webhook.id)))


def find(account: Account, webhook_id: int) -> Webhook:
    """A webhook of an account; one of somebody else's is not found."""
    hook = db.session.get(Webhook, webhook_id)
    if hook is None or hook.account_id != account.id:
        raise errors.NotFound(say("webhook_unknown", "There is no such webhook. It may be deleted already."))
    return hook


def add(account: Account, address: Address, *, label: str, actor: Account) -> Webhook:
    """Send what happens from now on to an address that hosts.check() let pass. Its `secret` is told now or never."""
    if len(of(account)) >= MOST:
        raise errors.Conflict(
            say(
                "webhooks_many",
                "An account has {most} webhooks at most. Delete one that is not needed any more.",
                most=MOST,
            )
        )
    hook = Webhook(
        account_id=account.id,
        address=str(address),
        label=text_rules.line(label, longest=100) or address.host,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        cursor=0,
        created_at=clock.now(),
    )
    db.session.add(hook)
    db.session.flush()
    _tell("webhook.add", hook, actor)
    hook.cursor = newest_event()  # after its own making, of which nobody needs to be told
    return hook


def newest_event() -> int:
    return db.session.scalar(select(func.max(Event.id))) or 0


def pause(hook: Webhook, *, actor: Account | None, why: str = "") -> None:
    """Send nothing any more until it is resumed. Nothing is lost: the history waits."""
    _advance(hook, "pause", actor, why=why, next_at=None)


def resume(hook: Webhook, *, actor: Account) -> None:
    """Go on with the first event that was not delivered."""
    _advance(hook, "resume", actor, why="", next_at=None, attempts=0, failing_since=None)
    enqueue(hook)


def _advance(hook: Webhook, action: str, actor: Account | None, **values: object) -> None:
    if transitions.transition_all(Webhook, action, Webhook.id == hook.id, **values) != 1:
        raise errors.Conflict(say("webhook_state", "This webhook is {state} already.", state=hook.state))
    db.session.refresh(hook)
    _tell(f"webhook.{action}", hook, actor, note=hook.why)


def remove(hook: Webhook, *, actor: Account | None, note: str = "") -> None:
    """Forget an address, with its log."""
    _tell("webhook.remove", hook, actor, note=note)
    db.session.delete(hook)


def ask_test(hook: Webhook, *, actor: Account) -> None:
    """Owe a message that tests the address at once, whatever else waits. Its outcome stands in the log."""
    if hook.account_id != actor.id:
        raise errors.Forbidden(say("webhook_test_roles", "Only its owner tests a webhook."))
    hook.test_at = clock.now()
    enqueue(hook)


def enqueue(hook: Webhook) -> None:
    job_queue.enqueue("webhook", key=f"webhook:{hook.id}", priority=7)


def _tell(action: str, hook: Webhook, actor: Account | None, note: str = "") -> None:
    """What follows a ? may be a secret of the receiver: the history, which others read, is not told of it."""
    after = {"webhook": hook.id, "address": hook.address.partition("?")[0], "account": hook.account_id}
    center_id = db.session.get_one(Account, hook.account_id).center_id
    history.record(action, actor=actor, center_id=center_id, after=after, note=note)
