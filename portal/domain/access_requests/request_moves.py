"""Every move of a request, by compare-and-swap: decided once, whoever is first. What is said about it, who reads it,
and the mails that tell."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.access_requests import terms
from portal.domain.shared import history, notifications, text_rules, transitions
from portal.messages import Message, say
from portal.models import Account, Dataset, Request, RequestMessage


def roles_of(request: Request, actor: Account | None) -> set[str]:
    """Nobody decides on a request of their own; None is the system. A draft is seen by its writer alone. The submitter
    reads along where a committee decides."""
    if actor is None:
        return {states.SYSTEM}
    if actor.id == request.account_id:
        return {states.REQUESTER}
    if request.state == states.DRAFT:
        return set()
    chosen = terms.deciders(request.dataset, without=request.account_id)
    roles = {states.DECIDER} if actor.id in {decider.id for decider in chosen} else set()
    return roles | ({states.SUBMITTER} if actor.id == request.dataset.account_id else set())


def require_overseer(request: Request, actor: Account) -> None:
    """Raises Forbidden where somebody neither decides on a request nor owns its dataset."""
    if not roles_of(request, actor) & {states.DECIDER, states.SUBMITTER}:
        raise errors.Forbidden(
            say("download_log_roles", "Only the submitter and the deciders see who downloaded what.")
        )


def available(request: Request, *, actor: Account | None) -> list[states.Move]:
    """The moves open to the actor now that are buttons."""
    return [move for move in states.REQUEST.available(request.state, roles_of(request, actor)) if move.word]


def move(
    request: Request,
    action: str,
    *,
    actor: Account | None,
    note: str = "",
    seen: int | None = None,
    before: dict[str, object] | None = None,
    columns: Mapping[str, object] | None = None,
    **values: object,
) -> RequestMessage:
    """Move a request by compare-and-swap along states.REQUEST, and set `columns` and `values` with it. Raises
    Forbidden; Conflict that names who was first."""
    transition = states.REQUEST.find(action)
    assert transition is not None
    values |= columns or {}
    text = text_rules.prose(note)
    if not roles_of(request, actor) & set(transition.by):
        raise errors.Forbidden(
            say(
                "request_roles",
                "Only the {roles} may {action} this request.",
                roles=" or ".join(transition.by),
                action=action,
            )
        )
    if request.state not in transition.sources:
        raise errors.Conflict(_stands(request, transition), state=request.state, decided_by=request.decided_by or 0)
    if seen is not None and seen != request.version:
        raise errors.Conflict(
            say("request_amended", "The requester amended this request since you looked. Read it again, then decide."),
            version=request.version,
        )
    if transition.note_needed and not text:
        raise errors.Invalid(fields={"note": say("request_note_needed", "Say why: the other side reads it.")})
    old, now = request.state, clock.now()
    as_read = Request.version == request.version
    transitions.transition(request, action, as_read, turned_at=now, updated_at=now, **values)
    db.session.refresh(request)
    after = {"request": request.id, "state": request.state} | {name: values[name] for name in before or {}}
    after |= {name: values[name] for name in ("from_at", "until_at", "whole") if name in values}
    history.record(
        f"request.{action}",
        actor=actor,
        dataset=request.dataset,
        note=text,
        after=after,
        before={"state": old} | (before or {}),
    )
    return record_message(request, text, turn=action, public=True, actor=actor)


def _stands(request: Request, transition: states.Move) -> Message:
    """How a request stands that cannot be moved: who was first, and when."""
    word = states.SHOWN_REQUEST[request.state].word.lower()
    if request.decider is not None and request.decided_at and transition.by == (states.DECIDER,):
        at = datetime.fromtimestamp(request.decided_at / 1000, settings().zone)
        return say(
            "request_decided",
            "{decider} decided it on {at:%Y-%m-%d at %H:%M}: it is {state}. Nothing of yours was changed.",
            decider=request.decider.name,
            at=at,
            state=word,
        )
    return say(
        "request_state",
        "This request is {state}; {action} starts from {sources}.",
        state=word,
        action=transition.action,
        sources=" or ".join(transition.sources).replace("_", " "),
    )


def record_message(request: Request, text: str, *, turn: str, public: bool, actor: Account | None) -> RequestMessage:
    message = RequestMessage(
        request_id=request.id,
        account_id=actor.id if actor else None,
        turn=turn,
        public=public,
        text=text,
        created_at=clock.now(),
    )
    db.session.add(message)
    db.session.flush()
    return message


def messages(request: Request, *, actor: Account, before: int = 0, limit: int | None = None) -> list[RequestMessage]:
    """What was said, the oldest first, or the last `limit` of it; private remarks for deciders only."""
    query = select(RequestMessage).options(joinedload(RequestMessage.account))
    query = query.where(RequestMessage.request_id == request.id).order_by(RequestMessage.id.desc()).limit(limit)
    if before:
        query = query.where(RequestMessage.id < before)
    if states.DECIDER not in roles_of(request, actor):
        query = query.where(RequestMessage.public)
    return list(db.session.scalars(query))[::-1]


def waiting(dataset: Dataset) -> int:
    """How many requests for a dataset wait for its deciders."""
    query = select(func.count()).where(Request.dataset_id == dataset.id, Request.state == states.ASKED)
    return int(db.session.scalar(query) or 0)


def tell_requester(request: Request, message: RequestMessage) -> None:
    send(
        request,
        request.account,
        f"{message.id}",
        "access_requester",
        turn=message.turn,
        note=message.text,
        who=message.account.name if message.account else "",
    )


def tell_deciders(request: Request, message: RequestMessage) -> None:
    """All of them but the one who did it: who did what, and how many requests wait."""
    for decider in terms.deciders(request.dataset, without=request.account_id):
        if decider.id != message.account_id:
            send(
                request,
                decider,
                f"{message.id}",
                "access_decider",
                turn=message.turn,
                note=message.text,
                who=message.account.name if message.account else "",
            )


def send(request: Request, to: Account, key: str, template: str, **values: object) -> None:
    """One mail about a request; `key` says what it tells."""
    db.session.flush()
    dataset = request.dataset
    notifications.send(
        f"request:{request.id}:{key}:{to.id}",
        to=to.email,
        template=template,
        name=to.name,
        accession=dataset.accession,
        title=dataset.title,
        requester=request.account.name,
        email=request.account.email,
        institution=request.institution,
        purpose=request.purpose,
        from_day=day(request.from_at),
        until_day=day(request.until_at, last=True),
        waiting=waiting(dataset),
        whole=request.whole,
        state=request.state,
        url=f"/requests/{request.id}",
        **values,
    )


def day(moment: int | None, *, last: bool = False) -> str:
    """The day of a moment in the site's zone, as ISO; `last`: the last day before an end."""
    return "" if moment is None else clock.day_of(moment - (1 if last else 0), settings().timezone).isoformat()
