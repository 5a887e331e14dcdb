"""What a webhook is sent: each event of its account, in order, signed as Standard Webhooks says, until it was taken.

An event that is refused is tried again, later each time; nothing behind it goes first. After twelve hours of this the
webhook is paused and its owner gets a mail.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, or_, select

from portal import clock, db, states
from portal.domain.shared import notifications
from portal.domain.webhooks import event_feed, subscriptions
from portal.models import Account, Event, Webhook, WebhookTry

FIRST_WAIT, LONGEST_WAIT = 5_000, clock.HOUR
PAUSED_AFTER = 12 * clock.HOUR
KEPT = 200
SPAN = 5_000
TEST = "webhook.test"


@dataclass(frozen=True)
class Message:
    """One thing to send. The id is the same at every attempt, so that a receiver knows what it has."""

    webhook_id: int
    address: str
    secret: str
    id: str
    action: str
    event_id: int | None
    body: bytes

    def headers(self, at: int) -> dict[str, str]:
        """The headers of an attempt at a moment in ms."""
        seconds = str(at // 1000)
        return {
            "webhook-id": self.id,
            "webhook-timestamp": seconds,
            "webhook-signature": sign(self.secret, self.id, seconds, self.body),
        }


def sign(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, b".".join((message_id.encode(), seconds.encode(), body)), hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


def plan() -> None:
    """Owe the work of each webhook for which something waits; what does not concern it is passed over."""
    newest, now = subscriptions.newest_event(), clock.now()
    due = (Webhook.state == states.ACTIVE) & (Webhook.cursor < newest)
    due &= or_(Webhook.next_at.is_(None), Webhook.next_at <= now)
    query = select(Webhook).join(Account).where(Account.state == "active", or_(due, Webhook.test_at.is_not(None)))
    for hook in db.session.scalars(query).all():
        if hook.test_at is not None or not _skip(hook, newest) or hook.cursor < newest:
            subscriptions.enqueue(hook)


def pass_over(webhook_id: int) -> bool:
    """Leave behind a stretch of events that do not concern a webhook; whether to look again from where it stands."""
    hook = db.session.get(Webhook, webhook_id, populate_existing=True)
    newest = subscriptions.newest_event()
    if hook is None or not _is_due(hook) or hook.cursor >= newest:
        return False
    _skip(hook, newest)
    return True


def _skip(hook: Webhook, newest: int) -> bool:
    """A stretch at a time, so that no page and no upload waits for it."""
    until = min(newest, hook.cursor + SPAN)
    if _first(hook, until):
        return False
    hook.cursor = until
    return True


def _first(hook: Webhook, until: int) -> list[Event]:
    return event_feed.events(hook.account, since=hook.cursor, until=until, limit=1)


def _is_due(hook: Webhook) -> bool:
    return hook.account.is_active and hook.state == states.ACTIVE and (hook.next_at or 0) <= clock.now()


def following(webhook_id: int) -> Message | None:
    """What is to be sent now: a test that was asked for, else the first event of the next stretch."""
    hook = db.session.get(Webhook, webhook_id, populate_existing=True)
    if hook is None or not hook.account.is_active:
        return None
    if hook.test_at is not None:
        return _test(hook)
    events = _first(hook, hook.cursor + SPAN) if _is_due(hook) else []
    if not events:
        return None
    event = events[0]
    body = _body(event.action, clock.rfc3339(event.at), event_feed.document(event))
    return Message(hook.id, hook.address, hook.secret, f"evt_{event.id}", event.action, event.id, body)


def _test(hook: Webhook) -> Message:
    assert hook.test_at is not None
    at = clock.rfc3339(hook.test_at)
    body = _body(TEST, at, {"id": None, "at": at, "action": TEST})
    return Message(hook.id, hook.address, hook.secret, f"test_{hook.id}_{hook.test_at}", TEST, None, body)


def _body(action: str, at: str | None, data: Mapping[str, object]) -> bytes:
    whole = {"type": action, "timestamp": at, "data": data}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def record(message: Message, *, status: int | None, says: str, took: int) -> bool:
    """Write down what came of an attempt; whether the next message may follow."""
    hook = db.session.get(Webhook, message.webhook_id, populate_existing=True)
    if hook is None:
        return False
    _log(message, status, says, took)
    taken = status is not None and 200 <= status < 300
    if message.event_id is None:
        return _record_test(hook, message, taken)
    if taken:
        hook.cursor, hook.delivered_at = message.event_id, clock.now()
        hook.attempts, hook.failing_since, hook.next_at = 0, None, None
    elif status == 410:
        _leave(hook)
    else:
        _put_off(hook, says)
    return taken


def _record_test(hook: Webhook, message: Message, taken: bool) -> bool:
    if message.id == f"test_{hook.id}_{hook.test_at}":
        hook.test_at = None
    if taken and hook.next_at:
        hook.next_at = clock.now()  # it is back: nobody waits out the hour
    return True


def _log(message: Message, status: int | None, says: str, took: int) -> None:
    row = WebhookTry(
        webhook_id=message.webhook_id,
        at=clock.now(),
        message=message.id,
        action=message.action,
        event_id=message.event_id,
        status=status,
        says=says[:500],
        took=took,
    )
    db.session.add(row)
    db.session.flush()
    mine = WebhookTry.webhook_id == message.webhook_id
    oldest = select(WebhookTry.id).where(mine).order_by(WebhookTry.id.desc()).offset(KEPT - 1).limit(1)
    db.change(delete(WebhookTry).where(mine, WebhookTry.id < oldest.scalar_subquery()))


def _put_off(hook: Webhook, says: str) -> None:
    now = clock.now()
    hook.attempts += 1
    hook.failing_since = hook.failing_since or now
    end = hook.failing_since + PAUSED_AFTER
    if hook.state != states.ACTIVE:
        return
    if now >= end:
        _give_up(hook, says)
    else:
        hook.next_at = min(end, now + min(LONGEST_WAIT, FIRST_WAIT << min(hook.attempts - 1, 20)))


def _give_up(hook: Webhook, says: str) -> None:
    since = hook.failing_since
    subscriptions.pause(hook, actor=None, why=f"No event was taken for {PAUSED_AFTER // clock.HOUR} hours. {says}")
    _mail(hook, "webhook_paused", f"webhook-paused:{hook.id}:{since}", says=says)


def _leave(hook: Webhook) -> None:
    """The server said 410: it is gone for good and wants nothing more."""
    _mail(hook, "webhook_gone", f"webhook-gone:{hook.id}")
    subscriptions.remove(hook, actor=None, note="Its server answered 410 Gone.")


def _mail(hook: Webhook, template: str, key: str, **more: str) -> None:
    notifications.send(
        key,
        to=hook.account.email,
        template=template,
        name=hook.account.name,
        label=hook.label,
        address=hook.address,
        url="/account/webhooks",
        **more,
    )
