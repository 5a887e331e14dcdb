"""Reads for the pages of access: what I asked, what is asked of me, a person's history, how soon answers come."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from portal import db, states
from portal.models import Account, Committee, Dataset, Decider, Event, Request, RequestMessage
from portal.queries.paging import keyset

TABS = {
    "mine": (),
    "waiting": states.UNDECIDED,
    "granted": (states.GRANTED,),
    "past": (states.DENIED, states.WITHDRAWN, states.REVOKED, states.ENDED),
}
ENOUGH = 3
LABELS = {
    "purpose": "Purpose",
    "institution": "Institution",
    "principal_investigator": "Principal investigator",
    "ethics": "Ethics reference",
}
_OWNER, _MEMBER = aliased(Account), aliased(Account)


def _whole() -> Select[Any]:
    return select(Request).options(
        joinedload(Request.dataset), joinedload(Request.account), joinedload(Request.decider)
    )


def mine(account: Account) -> ColumnElement[bool]:
    """What an account asked, drafts too."""
    return Request.account_id == account.id


def asked_of(account: Account) -> ColumnElement[bool]:
    """What others asked of an account: as submitter, co-decider or member of a committee; of curators where nobody else
    is left to decide."""
    owns = Dataset.account_id == account.id
    decides = exists().where(Decider.dataset_id == Dataset.id, Decider.account_id == account.id)
    conditions = [owns, decides]
    if account.is_curator:
        owner_decides = and_(
            exists().where(_OWNER.id == Dataset.account_id, _OWNER.state == "active", _OWNER.id != Request.account_id),
            ~exists().where(Committee.dataset_id == Dataset.id),
        )
        others = exists().where(
            Decider.dataset_id == Dataset.id,
            _MEMBER.id == Decider.account_id,
            _MEMBER.state == "active",
            _MEMBER.id != Request.account_id,
        )
        conditions.append(and_(~owner_decides, ~others))
    open_to = Request.dataset_id == Dataset.id, Request.state != states.DRAFT, Request.account_id != account.id
    return exists().where(*open_to, or_(*conditions)).correlate(Request)


def page(account: Account, tab: str, *, after: str = "", before: str = "") -> keyset.Page:
    """One tab of the list, the newest first."""
    query = (
        _whole().where(mine(account))
        if tab == "mine"
        else _whole().where(asked_of(account), Request.state.in_(TABS[tab]))
    )
    return keyset.fetch(query, (Request.id,), lambda row: (row[0].id,), after=after, before=before)


def counts(account: Account) -> dict[str, int]:
    """How many stand under each tab."""
    query = select(Request.state, func.count()).where(asked_of(account)).group_by(Request.state)
    by_state: dict[str, int] = {state: number for state, number in db.session.execute(query)}
    by_tab = {tab: sum(by_state.get(state, 0) for state in chosen) for tab, chosen in TABS.items() if chosen}
    return {"mine": int(db.session.scalar(select(func.count()).where(mine(account))) or 0)} | by_tab


def decides_anything(account: Account) -> bool:
    """Whether requests may ever be asked of an account."""
    owns = select(Dataset.id).where(Dataset.account_id == account.id, Dataset.access == "controlled").limit(1)
    member = select(Decider.dataset_id).where(Decider.account_id == account.id).limit(1)
    return db.session.scalar(owns) is not None or db.session.scalar(member) is not None


def listed(account: Account, *, side: str, state: str, after: int, limit: int) -> list[Request]:
    """For programs: `side` is mine, asked or empty for both."""
    sides = {"mine": mine(account), "asked": asked_of(account)}
    query = _whole().where(sides.get(side, or_(*sides.values())))
    if state:
        query = query.where(Request.state == state)
    if after:
        query = query.where(Request.id < after)
    return list(db.session.scalars(query.order_by(Request.id.desc()).limit(limit)).unique())


def history_of(request: Request, reader: Account) -> list[Request]:
    """The person's other requests that the reader may see."""
    query = _whole().where(Request.account_id == request.account_id, Request.id != request.id, asked_of(reader))
    return list(db.session.scalars(query.order_by(Request.id.desc()).limit(50)).unique())


def amendments(request: Request) -> dict[int, list[tuple[str, str, str]]]:
    """What each amendment changed, by the number of its message: (field or question, before, after)."""
    messages = select(RequestMessage.id).where(RequestMessage.request_id == request.id, RequestMessage.turn == "amend")
    query = select(Event).where(
        Event.actor_id == request.account_id, Event.dataset_id == request.dataset_id, Event.action == "request.amend"
    )
    changes = []
    for event in db.session.scalars(query.order_by(Event.id)):
        before, after = event.before or {}, event.after or {}
        if after.get("request") != request.id:
            continue
        changed = [(LABELS[name], before[name], after[name]) for name in LABELS if name in before]
        was = {answer["question"]: answer["answer"] for answer in before.get("answers", ())}
        changed += [
            (answer["question"], was.get(answer["question"], ""), answer["answer"])
            for answer in after.get("answers", ())
            if answer["answer"] != was.get(answer["question"], "")
        ]
        changes.append(changed)
    return dict(zip(db.session.scalars(messages.order_by(RequestMessage.id)), changes, strict=False))


def of(dataset: Dataset, account: Account | None) -> Request | None:
    """The newest request of a person for a dataset."""
    if account is None:
        return None
    query = select(Request).where(Request.dataset_id == dataset.id, Request.account_id == account.id)
    return db.session.scalars(query.order_by(Request.id.desc()).limit(1)).first()


@dataclass(frozen=True)
class Pace:
    """How soon the deciders of a dataset answered: half of the answers came within so many ms."""

    answers: int = 0
    half_within: int | None = None


def pace(dataset: Dataset) -> Pace:
    query = select(Request.decided_at - Request.asked_at).where(
        Request.dataset_id == dataset.id, Request.decided_at.is_not(None), Request.asked_at.is_not(None)
    )
    took = sorted(row or 0 for row in db.session.scalars(query.order_by(Request.id.desc()).limit(50)))
    return Pace(len(took), took[(len(took) - 1) // 2] if len(took) >= ENOUGH else None)


def controlled(account: Account) -> list[Dataset]:
    """The controlled datasets whose terms an account sets."""
    query = select(Dataset).where(
        Dataset.account_id == account.id, Dataset.access == "controlled", Dataset.state != states.WITHDRAWN
    )
    return list(db.session.scalars(query.order_by(Dataset.id.desc()).limit(100)))
