"""Asking for a larger quota: a submitter says for what, the curators are told, and the answer is a changed quota."""

from sqlalchemy import select

from portal import db, errors
from portal.domain.accounts import centers, quotas, rate_limit
from portal.domain.accounts.centers import REALMS
from portal.domain.shared import history, notifications, sizes, text_rules
from portal.messages import say
from portal.models import Account, Center, Event

REQUEST, ANSWER = "center.ask", "center.quota"


def ask(note: str, *, actor: Account) -> None:
    """Ask for a larger quota for one's center; every curator gets a mail. Raises Invalid or Throttled."""
    reason = text_rules.prose(note, longest=2000)
    if not reason:
        raise errors.Invalid(
            fields={"note": say("quota_reason_needed", "Say how much more room you need, and for what.")}
        )
    pending = open_request(actor.center_id)
    if pending is not None and pending.actor_id == actor.id and pending.note == reason:
        return  # sent twice
    if not rate_limit.may_mail("quota", actor.email):
        raise errors.Throttled(
            say("quota_asked_often", "You asked three times within six hours. A curator will answer.")
        )
    used = {realm: quotas.used(actor.center_id, realm) for realm in REALMS}
    history.record(REQUEST, actor=actor, center_id=actor.center_id, after=used, note=reason)
    event_id = db.session.scalar(select(Event.id).order_by(Event.id.desc()).limit(1))
    curators = select(Account).where(Account.role == "curator", Account.state == "active")
    for curator in db.session.scalars(curators):
        notifications.send(
            f"room:{event_id}:{curator.id}",
            to=curator.email,
            template="quota_asked",
            name=curator.name,
            who=actor.name,
            email=actor.email,
            center=actor.center.name,
            note=reason,
            url=f"/admin/centers/{actor.center_id}",
        )


def open_request(center_id: int) -> Event | None:
    """The newest request of a center that no change of its quota has answered yet."""
    request, answer_event = _last(center_id, REQUEST), _last(center_id, ANSWER)
    return request if request and (answer_event is None or answer_event.id < request.id) else None


def _last(center_id: int, action: str) -> Event | None:
    """The newest event of this kind. Found by its action, which is rare; the events of a large center are many."""
    query = select(Event).where(Event.action == action, Event.center_id + 0 == center_id)
    return db.session.scalar(query.order_by(Event.id.desc()).limit(1))


def change(center: Center, *, name: str, quota: dict[str, int | None], actor: Account) -> None:
    """Set the name and the quotas of a center, in bytes by realm; whoever asked for a larger quota gets a mail."""
    request = open_request(center.id)
    centers.rename(center, name, actor=actor)
    centers.set_quotas(center, quota, actor=actor)
    answer(center, request)


def answer(center: Center, request: Event | None) -> None:
    """Send a mail to whoever asked, once the quota has changed."""
    asker = db.session.get(Account, request.actor_id) if request and request.actor_id else None
    if request is None or asker is None or not asker.is_active or open_request(center.id) is not None:
        return
    quota = [f"{realm} realm: {_size(quotas.limit(center, realm))}" for realm in REALMS]
    notifications.send(
        f"room:{request.id}:answer",
        to=asker.email,
        template="quota_changed",
        name=asker.name,
        center=center.name,
        quotas=quota,
        url="/area",
    )


def _size(size: int | None) -> str:
    return "no bound" if size is None else sizes.size(size)
