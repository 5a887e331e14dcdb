"""Requests for access to a controlled dataset, as their requester makes them: typed, sent, amended, answered,
withdrawn. The deciders' verbs are in grants.py, the moves themselves in request_moves.py."""

from collections.abc import Mapping

from sqlalchemy import select

from portal import clock, db, errors, states
from portal.domain.access_requests import terms
from portal.domain.access_requests.request_moves import move, record_message, roles_of, tell_deciders, tell_requester
from portal.domain.permissions import access
from portal.domain.shared import history, text_rules
from portal.messages import Message, say
from portal.models import Account, Dataset, Request, RequestMessage, Terms

LINES = {"institution": 300, "principal_investigator": 200, "ethics": 300}
FIELDS = ("purpose", *LINES)
NEEDED = {
    "purpose": say("purpose_needed", "Say in a paragraph what you want the data for."),
    "institution": say("institution_needed", "Name your institution."),
    "principal_investigator": say("investigator_needed", "Name the person who answers for the work."),
}


def load(request_id: int, *, actor: Account | None) -> Request:
    """A request that the actor made or decides on; to others there is none."""
    request = db.session.get(Request, request_id)
    if request is None or actor is None or not roles_of(request, actor):
        raise errors.NotFound(say("request_unknown", "There is no such request."))
    return request


def obstacle(dataset: Dataset, actor: Account | None) -> Message | None:
    """Why somebody cannot ask for a dataset; None when they can."""
    if not access.is_controlled(dataset):
        return say("not_controlled", "This dataset is not under controlled access; there is nothing to ask for.")
    if access.is_owner(dataset, actor):
        return say("own_dataset", "These are your own files: they are open to you.")
    return None


def open_one(dataset: Dataset, account: Account) -> Request | None:
    """The draft, waiting or granted request of a person for a dataset."""
    query = select(Request).where(
        Request.dataset_id == dataset.id, Request.account_id == account.id, Request.state.in_(states.OPEN_REQUESTS)
    )
    return db.session.scalars(query).first()


def begin(dataset: Dataset, *, actor: Account) -> Request:
    """The actor's draft, made where there is none, from what an earlier request said. Raises Conflict when a request
    is open already."""
    blocking = obstacle(dataset, actor)
    if blocking:
        raise errors.Conflict(blocking)
    open_request = open_one(dataset, actor)
    if open_request is not None and open_request.state != states.DRAFT:
        raise errors.Conflict(
            say("request_open_already", "You have asked for this dataset already."), request=open_request.id
        )
    if open_request is not None:
        return open_request
    now, (fields, answers) = clock.now(), said_before(dataset, actor)
    draft = Request(
        dataset_id=dataset.id,
        account_id=actor.id,
        state=states.DRAFT,
        created_at=now,
        updated_at=now,
        **fields,
        answers=answers,
    )
    db.session.add(draft)
    db.session.flush()
    return draft


def said_before(dataset: Dataset, account: Account) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The fields and answers that a new request begins with: who one is from the last one, and all of it from the last
    for this dataset."""
    query = select(Request).where(Request.account_id == account.id).order_by(Request.id.desc()).limit(1)
    last = db.session.scalars(query).first()
    same = db.session.scalars(query.where(Request.dataset_id == dataset.id)).first()
    if same is not None:
        return {name: getattr(same, name) for name in FIELDS}, same.answers
    values = dict.fromkeys(FIELDS, "")
    if last is not None:
        values |= {name: getattr(last, name) for name in ("institution", "principal_investigator")}
    return values, []


def check(fields: Mapping[str, object], chosen: Terms) -> tuple[dict[str, object], dict[str, Message]]:
    """Clean values of the given fields, and a sentence for each that breaks a rule. `answers` is a list in the order
    of the questions."""
    values: dict[str, object] = {}
    faults: dict[str, Message] = {}
    for name in (name for name in FIELDS if name in fields):
        try:
            given = str(fields[name] or "")
            values[name] = text_rules.prose(given) if name == "purpose" else text_rules.line(given, longest=LINES[name])
        except errors.DomainError as error:
            faults[name] = error.message
    if "answers" in fields:
        values["answers"] = _answers(fields["answers"], chosen, faults)
    return values, faults


def field_of(n: int) -> str:
    """The name of the field of an answer, by its place."""
    return f"answer_{chr(ord('a') + n)}"


def _answers(given: object, chosen: Terms, faults: dict[str, Message]) -> list[dict[str, str]]:
    listed = list(given) if isinstance(given, list | tuple) else []
    answers = []
    for n, question in enumerate(chosen.questions):
        answer = listed[n] if n < len(listed) else ""
        try:
            text = text_rules.prose(str((answer.get("answer") if isinstance(answer, dict) else answer) or ""))
        except errors.DomainError as error:
            faults[field_of(n)], text = error.message, ""
        answers.append({"question": question["text"], "answer": text})
    return answers


def missing(request: Request, chosen: Terms) -> dict[str, Message]:
    """What stands between a draft and its deciders."""
    faults = {name: sentence for name, sentence in NEEDED.items() if not getattr(request, name)}
    answers = {answer["question"]: answer["answer"] for answer in request.answers}
    for n, question in enumerate(chosen.questions):
        if question["needed"] and not answers.get(question["text"]):
            faults[field_of(n)] = say("answer_needed", "Answer this question.")
    return faults


def save(request: Request, fields: Mapping[str, object], *, actor: Account) -> dict[str, Message]:
    """Keep what is typed into a draft; returns a sentence for each field that could not be kept."""
    if request.account_id != actor.id or request.state != states.DRAFT:
        raise errors.Conflict(say("request_sent_amend", "It is sent: amend it instead."))
    values, faults = check(fields, terms.of(request.dataset))
    for name, value in values.items():
        if name not in faults:
            setattr(request, name, value)
    request.updated_at = clock.now()
    db.session.flush()
    return faults


def ask(
    request: Request, fields: dict[str, object], *, agreement: str, version: int | None = None, actor: Account
) -> Request:
    """Send a draft to the deciders. `agreement` is the name typed under the terms of `version`. Raises Invalid with
    all that is missing, and Conflict when the terms were changed since they were read."""
    chosen = terms.of(request.dataset)
    faults = save(request, fields, actor=actor)
    if version is not None and version != chosen.id:
        raise errors.Conflict(
            say("terms_changed", "The terms were changed while you wrote. Read them again, then send your request.")
        )
    faults |= {name: text for name, text in missing(request, chosen).items() if name not in faults}
    if " ".join(agreement.split()).casefold() != " ".join(actor.name.split()).casefold():
        faults["agreement"] = say(
            "agreement_name",
            "Type your name as it stands in your account, {name}, to agree to the terms.",
            name=actor.name,
        )
    if faults:
        raise errors.Invalid(say("request_incomplete", "Before you send it, mend what is listed here."), fields=faults)
    now = clock.now()
    message = move(
        request,
        "submit",
        actor=actor,
        terms_id=chosen.id,
        agreement=text_rules.line(agreement, longest=200),
        agreed_at=now,
        asked_at=now,
    )
    tell_requester(request, message)
    tell_deciders(request, message)
    return request


def amend(request: Request, fields: dict[str, object], *, actor: Account, note: str = "") -> Request:
    """Change what a waiting request says; it goes back to the deciders, who see what was changed."""
    chosen = request.terms or terms.of(request.dataset)
    values, faults = check(fields, chosen)
    if faults:
        raise errors.Invalid(fields=faults)
    before = {name: getattr(request, name) for name in values if getattr(request, name) != values[name]}
    if not before:
        return request
    after = {name: values[name] for name in before}
    if wrong := {name: NEEDED[name] for name, value in after.items() if name in NEEDED and not value}:
        raise errors.Invalid(fields=wrong)
    columns = after | {"version": request.version + 1}
    message = move(request, "amend", actor=actor, note=note, before=before, columns=columns)
    tell_deciders(request, message)
    return request


def attach(request: Request, *, token: str | None, name: str = "", size: int = 0, actor: Account) -> str | None:
    """Keep the letter whose bytes are stored under a token; None takes it away. Returns the token it replaces."""
    if request.account_id != actor.id or request.state not in (states.DRAFT, *states.UNDECIDED):
        raise errors.Conflict(say("letter_decided", "A letter belongs to a request that is not decided yet."))
    before, request.letter = request.letter, token
    request.letter_name, request.letter_size = text_rules.line(name, longest=200), size
    if request.state != states.DRAFT:
        request.version += 1
        history.record("request.letter", actor=actor, dataset=request.dataset, after={"request": request.id})
    db.session.flush()
    return before


def answer(request: Request, *, actor: Account, note: str) -> Request:
    """Answer what the deciders asked back."""
    tell_deciders(request, move(request, "answer", actor=actor, note=note))
    return request


def withdraw(request: Request, *, actor: Account, note: str = "") -> Request:
    """Take a waiting request back."""
    tell_deciders(request, move(request, "withdraw", actor=actor, note=note, ended_at=clock.now()))
    return request


def discard(request: Request, *, actor: Account) -> str | None:
    """Throw a draft away. Returns the token of its letter, whose bytes go with it."""
    if request.account_id != actor.id or request.state != states.DRAFT:
        raise errors.Conflict(say("request_sent_withdraw", "It is sent: withdraw it instead."))
    letter = request.letter
    db.session.delete(request)
    db.session.flush()
    return letter


def remark(request: Request, text: str, *, actor: Account, public: bool = False) -> RequestMessage:
    """Say something without deciding: to the other deciders alone, or to both sides."""
    roles = roles_of(request, actor)
    clean = text_rules.prose(text)
    if not clean:
        raise errors.Invalid(fields={"note": say("request_remark_empty", "Write it first.")})
    if request.state == states.DRAFT or not roles:
        raise errors.Forbidden(say("request_remark_roles", "Only the requester and the deciders talk about a request."))
    public = public or states.REQUESTER in roles
    if same := _same(request, clean, public, actor):
        return same
    message = record_message(request, clean, turn="", public=public, actor=actor)
    if message.public:
        history.record(
            "request.remark", actor=actor, dataset=request.dataset, note=clean, after={"request": request.id}
        )
        (tell_deciders if states.REQUESTER in roles else tell_requester)(request, message)
    return message


def _same(request: Request, text: str, public: bool, actor: Account) -> RequestMessage | None:
    """The same words of the same person a moment ago: a button pressed twice, a call sent again."""
    query = select(RequestMessage).where(
        RequestMessage.request_id == request.id,
        RequestMessage.account_id == actor.id,
        RequestMessage.turn == "",
        RequestMessage.text == text,
        RequestMessage.public == public,
        RequestMessage.created_at > clock.now() - clock.MINUTE,
    )
    return db.session.scalar(query.limit(1))
