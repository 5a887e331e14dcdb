"""What deciders do with a request: ask back, approve, deny, renew, revoke; and the end of grants. A grant is open from
its first moment to the last before its end, in whatever state its row is found."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, update

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.access_requests import request_moves, requests, terms
from portal.domain.files import files
from portal.domain.permissions import access, active_grants
from portal.messages import Message, say
from portal.models import Account, Counter, Dataset, File, Request, RequestFile

AT_ONCE = 200


def ask_back(request: Request, *, actor: Account, note: str, seen: int | None = None) -> Request:
    """Put a question to the requester; the request waits for the answer."""
    message = request_moves.move(request, "ask", actor=actor, note=note, seen=seen)
    request_moves.tell_requester(request, message)
    request_moves.tell_deciders(request, message)
    return request


def approve(
    request: Request,
    *,
    actor: Account,
    from_: object = None,
    until: object = None,
    numbers: list[int] | None = None,
    note: str = "",
    seen: int | None = None,
) -> Request:
    """Grant access from and until, to the whole dataset or to the files of these numbers."""
    if not access.is_controlled(request.dataset):
        raise errors.Conflict(
            say(
                "nothing_to_grant",
                "The dataset is not released under controlled access now: there is nothing to grant.",
            )
        )
    start, end = period(from_, until, longest=longest(request))
    chosen = [files.by_number(request.dataset, n) for n in numbers or []]
    if any(file.state != states.ARCHIVED for file in chosen):
        raise errors.Invalid(fields={"files": say("grant_not_archived", "Only archived files can be granted.")})
    message = request_moves.move(
        request,
        "approve",
        actor=actor,
        note=note,
        seen=seen,
        decided_by=actor.id,
        decided_at=clock.now(),
        from_at=start,
        until_at=end,
        whole=not chosen,
    )
    _bind(request, chosen)
    request_moves.tell_requester(request, message)
    request_moves.tell_deciders(request, message)
    return request


def _bind(request: Request, chosen: list[File]) -> None:
    db.change(delete(RequestFile).where(RequestFile.request_id == request.id))
    db.session.add_all([RequestFile(request_id=request.id, file_id=file.id) for file in dict.fromkeys(chosen)])
    db.session.flush()


def deny(request: Request, *, actor: Account, note: str, seen: int | None = None) -> Request:
    message = request_moves.move(
        request,
        "deny",
        actor=actor,
        note=note,
        seen=seen,
        decided_by=actor.id,
        decided_at=clock.now(),
        ended_at=clock.now(),
    )
    request_moves.tell_requester(request, message)
    request_moves.tell_deciders(request, message)
    return request


def renew(request: Request, *, actor: Account, until: object = None, note: str = "") -> Request:
    """Let a grant last longer, in one step; by its requester it is the wish for that, which the deciders are told."""
    if states.REQUESTER in request_moves.roles_of(request, actor):
        return _wish(request, actor=actor, note=note)
    _refuse_ended(request)
    _start, end = period(None, until, longest=longest(request))
    if request.until_at and end <= request.until_at:
        raise errors.Invalid(
            fields={"until": say("grant_lasts_as_long", "It lasts as long already. Choose a later day.")}
        )
    message = request_moves.move(request, "renew", actor=actor, note=note, until_at=end, renewal_asked_at=None)
    request_moves.tell_requester(request, message)
    request_moves.tell_deciders(request, message)
    return request


def _wish(request: Request, *, actor: Account, note: str) -> Request:
    _refuse_ended(request)
    if request.renewal_asked_at is None:
        request.renewal_asked_at = request.turned_at = clock.now()
        message = requests.remark(request, note or "May this be renewed?", actor=actor)
        message.turn = "renewal"
        db.session.flush()
    return request


def _refuse_ended(request: Request) -> None:
    """An end that nobody recorded yet is an end: what is over is asked for anew."""
    if request.state == states.GRANTED and (request.until_at or 0) <= active_grants.latest_moment():
        raise errors.Conflict(say("grant_ended", "This grant has ended. The requester asks anew."))
    if request.state != states.GRANTED:
        word = states.SHOWN_REQUEST[request.state].word.lower()
        raise errors.Conflict(
            say("renew_no_grant", "This request is {state}; only a grant is renewed.", state=word), state=request.state
        )


def revoke(request: Request, *, actor: Account, note: str) -> Request:
    """End a grant at once: doors refuse from the commit on, and running downloads stop within a minute."""
    message = request_moves.move(request, "revoke", actor=actor, note=note, ended_at=clock.now())
    request_moves.tell_requester(request, message)
    request_moves.tell_deciders(request, message)
    return request


def longest(request: Request) -> int:
    """The longest period of the terms that the requester agreed to."""
    return (request.terms or terms.of(request.dataset)).longest_days


def period(from_: object, until: object, *, longest: int) -> tuple[int, int]:
    """The first moment and the end of a grant. Days are days of the site's zone: from the midnight with which the first
    begins to the one with which the last ends. Raises Invalid."""
    faults: dict[str, Message] = {}
    start = _moment("from", from_, faults)
    end = _moment("until", until, faults, last=True)
    if faults:
        raise errors.Invalid(fields=faults)
    zone, today = settings().timezone, clock.today(settings().timezone)
    begins = clock.now() if start is None else start
    bound = clock.midnight(clock.day_of(begins, zone) + timedelta(days=longest), zone)
    ends = bound if end is None else end
    if begins < clock.midnight(today, zone):
        faults["from"] = say("grant_from_past", "This day is over. Choose today or a later day.")
    if ends <= max(begins, clock.now()):
        faults["until"] = say("grant_ends_first", "It ends before it begins. Choose a later day.")
    elif ends > bound:
        last = clock.day_of(bound - 1, zone).isoformat()
        faults["until"] = say(
            "grant_too_long", "The terms allow {longest} days at the most: until {last}.", longest=longest, last=last
        )
    if faults:
        raise errors.Invalid(fields=faults)
    return begins, ends


def _moment(field: str, value: object, faults: dict[str, Message], *, last: bool = False) -> int | None:
    """A day (ISO), or a moment with its offset (RFC 3339)."""
    text = str(value or "").strip()
    if not text:
        return None
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            return int(moment.timestamp() * 1000)
        day = date.fromisoformat(text)
        if not 2000 <= day.year <= 2200:
            raise ValueError
        return clock.midnight(day + timedelta(days=1 if last else 0), settings().timezone)
    except (ValueError, OverflowError):
        faults[field] = say(
            "grant_day_format", "A day is written year-month-day, such as 2027-03-01; a moment with its offset."
        )
        return None


def end_due() -> None:
    """Record the end of grants whose time is over, and tell both sides. The latest moment ever seen is kept, so that a
    clock that is set back revives nothing."""
    now = clock.now()
    if db.session.get(Counter, active_grants.CLOCK) is None:
        db.session.add(Counter(name=active_grants.CLOCK, next=now))
        db.session.flush()
    db.change(update(Counter).where(Counter.name == active_grants.CLOCK, Counter.next < now).values(next=now))
    over = select(Request).where(Request.state == states.GRANTED, Request.until_at <= active_grants.latest_moment())
    for request in list(db.session.scalars(over.order_by(Request.until_at).limit(AT_ONCE))):
        message = request_moves.move(request, "end", actor=None, ended_at=request.until_at)
        request_moves.tell_requester(request, message)
        request_moves.tell_deciders(request, message)


def remind() -> None:
    """Deciders of what waits for them, requesters of what waits for their answer, and of a grant that ends soon."""
    every, ahead = settings().request_remind_days * clock.DAY, settings().grant_remind_days * clock.DAY
    now = clock.now()
    if every:
        late = (
            Request.state.in_(states.UNDECIDED),
            Request.turned_at <= now - every,
            Dataset.id == Request.dataset_id,
            Dataset.state.in_(active_grants.PUBLIC),
        )
        for request in list(db.session.scalars(select(Request).where(*late))):
            _remind_of(request, (now - (request.turned_at or now)) // every)
        wished = (Request.state == states.GRANTED, Request.renewal_asked_at <= now - every)
        for request in list(db.session.scalars(select(Request).where(*wished))):
            _remind_of(request, (now - (request.renewal_asked_at or now)) // every)
    soon = (Request.state == states.GRANTED, Request.until_at > now, Request.until_at <= now + ahead)
    for request in list(db.session.scalars(select(Request).where(*soon))) if ahead else []:
        if (request.until_at or 0) - (request.from_at or 0) > ahead:
            request_moves.send(
                request,
                request.account,
                f"ending:{request.until_at}",
                "access_requester",
                turn="ending",
                note="",
                who="",
            )


def _remind_of(request: Request, times: int) -> None:
    key = f"waits:{request.turned_at}:{times}"
    days = (clock.now() - (request.turned_at or 0)) // clock.DAY
    if request.state == states.ASKED_BACK:
        request_moves.send(request, request.account, key, "access_requester", turn="waits", note="", who="", days=days)
        return
    for decider in terms.deciders(request.dataset, without=request.account_id):
        request_moves.send(request, decider, key, "access_decider", turn="waits", note="", who="", days=days)


def act(
    request: Request,
    action: str,
    *,
    actor: Account,
    note: str = "",
    seen: int | None = None,
    from_: object = None,
    until: object = None,
    numbers: list[int] | None = None,
) -> Request:
    """One way in for forms and programs: approve, deny, ask, revoke, renew, answer, withdraw."""
    move = states.REQUEST.find(action)
    if move is None or not move.word:
        raise errors.NotFound(say("request_action_unknown", "There is no action {action!r}.", action=action))
    if action == "approve":
        return approve(request, actor=actor, note=note, seen=seen, from_=from_, until=until, numbers=numbers)
    if action == "renew":
        return renew(request, actor=actor, note=note, until=until)
    if action in ("ask", "deny"):
        return (ask_back if action == "ask" else deny)(request, actor=actor, note=note, seen=seen)
    verbs: dict[str, Callable[..., Request]] = {
        "revoke": revoke,
        "answer": requests.answer,
        "withdraw": requests.withdraw,
    }
    return verbs[action](request, actor=actor, note=note)
