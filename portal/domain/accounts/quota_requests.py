"""Asking for a larger quota: a submitter says for what, the curators are told, and the answer is a changed quota."""

from sqlalchemy import select

from portal import db, errors
from portal.domain.accounts import centers, quotas, rate_limit
from portal.domain.accounts.centers import REALMS
from portal.domain.shared import history, notifications, text_rules
from portal.models import Account, Center, Event

ASKED, ANSWERED = "center.ask", "center.quota"


def ask(note: str, *, actor: Account) -> None:
    said = text_rules.prose(note, longest=2000)
    if not said:
        raise errors.Invalid(fields={"note": "Say how much more room you need, and for what."})
    asked = open_ask(actor.center_id)
    if asked is not None and asked.actor_id == actor.id and asked.note == said:
        return  # sent twice
    if not rate_limit.may_mail("quota", actor.email):
        raise errors.Throttled("You asked three times within six hours. A curator will answer.")
    used = {realm: quotas.used(actor.center_id, realm) for realm in REALMS}
    history.record(ASKED, actor=actor, center_id=actor.center_id, after=used, note=said)
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
            note=said,
            url=f"/admin/centers/{actor.center_id}",
        )


def open_ask(center_id: int) -> Event | None:
    """What a center asked for and no change of its quota has answered yet."""
    asked, answered = _last(center_id, ASKED), _last(center_id, ANSWERED)
    return asked if asked and (answered is None or answered.id < asked.id) else None


def _last(center_id: int, action: str) -> Event | None:
    """Found by its action, which is rare; the events of a large center are many."""
    query = select(Event).where(Event.action == action, Event.center_id + 0 == center_id)
    return db.session.scalar(query.order_by(Event.id.desc()).limit(1))


def change(center: Center, *, name: str, quota: dict[str, str], actor: Account) -> None:
    """Another name, other quotas; whoever asked for more room is told."""
    asked = open_ask(center.id)
    centers.rename(center, name, actor=actor)
    centers.set_quotas(center, quota, actor=actor)
    answer(center, asked)


def answer(center: Center, ask_event: Event | None) -> None:
    """Tell whoever asked, once the quota is another one."""
    asker = db.session.get(Account, ask_event.actor_id) if ask_event and ask_event.actor_id else None
    if ask_event is None or asker is None or not asker.is_active or open_ask(center.id) is not None:
        return
    quota = [f"{realm} realm: {_said(quotas.limit(center, realm))}" for realm in REALMS]
    notifications.send(
        f"room:{ask_event.id}:answer",
        to=asker.email,
        template="quota_changed",
        name=asker.name,
        center=center.name,
        quotas=quota,
        url="/area",
    )


def _said(size: int | None) -> str:
    return "no bound" if size is None else f"{size >> 30:,} GiB"
