"""What curators look at: the queue with its filters and ages, and the history of a dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from portal import clock, db, states
from portal.models import Account, Center, Dataset, Event, Look, Remark
from portal.queries.paging import keyset

IN_REVIEW = (states.SUBMITTED, states.RETURNED, states.APPROVED)
TABS = {
    "submitted": (states.SUBMITTED,),
    "returned": (states.RETURNED,),
    "approved": (states.APPROVED,),
    "all": IN_REVIEW,
}
FILTERS = ("waits", "center", "access", "data_type", "text")


@dataclass(frozen=True)
class Row:
    """A dataset in the queue: whom it waits for since when, how many remarks are open, and what one saw of it."""

    dataset: Dataset
    since: int
    open: int
    asked: bool
    seen: int | None

    @property
    def age(self) -> str:
        return age(clock.now() - self.since)

    @property
    def waits_for(self) -> str:
        """The curators decide what is submitted, unless the last word is a question of theirs."""
        if self.dataset.state == states.SUBMITTED:
            return "an answer of the submitter" if self.asked else "a curator"
        return "the submitter" if self.dataset.state == states.RETURNED else "its release"


def age(ms: int) -> str:
    """3 d, 5 h, 12 min: the one unit that matters in a list."""
    for unit, length in (("d", clock.DAY), ("h", clock.HOUR)):
        if ms >= length:
            return f"{ms // length} {unit}"
    return f"{max(0, ms) // clock.MINUTE} min"


def queue(
    actor: Account, *, tab: str = "submitted", asked: Mapping[str, str] | None = None, after: str = "", before: str = ""
) -> keyset.Page:
    """The datasets of a tab that fit the filters, those that wait longest first."""
    query = select(Dataset).options(joinedload(Dataset.account), joinedload(Dataset.center))
    query = _filtered(query.where(Dataset.state.in_(TABS[tab]), Dataset.accession.is_not(None)), asked or {}, actor)
    since = func.coalesce(Dataset.submitted_at, Dataset.created_at)
    found = keyset.fetch(
        query,
        (since, Dataset.id),
        lambda row: (row[0].submitted_at or row[0].created_at, row[0].id),
        after=after,
        before=before,
        descending=False,
    )
    return keyset.Page(_rows([row[0] for row in found.rows], actor), found.newer, found.older)


def _filtered(query: Select, asked: Mapping[str, str], actor: Account) -> Select:
    if asked.get("center", "").isdecimal():
        query = query.where(Dataset.center_id == int(asked["center"]))
    for name, column in (("access", Dataset.access), ("data_type", Dataset.data_type)):
        if asked.get(name):
            query = query.where(column == asked[name])
    for word in asked.get("text", "").lower().split():
        query = query.where(Dataset.search_text.contains(word, autoescape=True))
    whom = _waits(actor).get(asked.get("waits", ""))
    return query if whom is None else query.where(whom)


def _waits(actor: Account) -> dict[str, Any]:
    """Whom a dataset waits for, as conditions."""
    submitted = Dataset.state == states.SUBMITTED
    looked = exists().where(Look.dataset_id == Dataset.id)
    return {
        "curator": and_(submitted, ~_asked()),
        "submitter": or_(Dataset.state == states.RETURNED, and_(submitted, _asked())),
        "me": and_(submitted, looked.where(Look.account_id == actor.id)),
        "nobody": and_(submitted, ~looked),
    }


def _asked():
    """The last word since it was submitted is an open question of a curator's."""
    last, other = aliased(Remark), aliased(Remark)
    newest = select(func.max(other.id)).where(other.dataset_id == Dataset.id, other.public).scalar_subquery()
    return exists().where(
        last.id == newest,
        last.account_id != Dataset.account_id,
        last.turn == "",
        last.done_at.is_(None),
        last.created_at >= Dataset.submitted_at,
    )


def _rows(found: list[Dataset], actor: Account) -> list[Row]:
    ids = [dataset.id for dataset in found]
    turns = select(Event.dataset_id, func.max(Event.at)).where(
        Event.dataset_id.in_(ids), Event.action.in_(("return", "recall", "approve"))
    )
    turned = {row[0]: row[1] for row in db.session.execute(turns.group_by(Event.dataset_id))}
    heads = (
        select(Remark.dataset_id, func.count())
        .where(
            Remark.dataset_id.in_(ids),
            Remark.public,
            Remark.done_at.is_(None),
            Remark.answers_id.is_(None),
            Remark.turn == "",
        )
        .group_by(Remark.dataset_id)
    )
    opened = {row[0]: row[1] for row in db.session.execute(heads)}
    asked = set(db.session.scalars(select(Dataset.id).where(Dataset.id.in_(ids), _asked())))
    looks = select(Look).where(Look.account_id == actor.id, Look.dataset_id.in_(ids))
    seen = {look.dataset_id: look.version for look in db.session.scalars(looks)}
    return [Row(one, _since(one, turned), opened.get(one.id, 0), one.id in asked, seen.get(one.id)) for one in found]


def _since(dataset: Dataset, turned: dict) -> int:
    if dataset.state == states.SUBMITTED:
        return dataset.submitted_at or dataset.created_at
    return turned.get(dataset.id) or dataset.updated_at


def waiting() -> dict[str, int]:
    """How many there are in each tab."""
    query = select(Dataset.state, func.count()).where(Dataset.accession.is_not(None)).group_by(Dataset.state)
    numbers = {row[0]: row[1] for row in db.session.execute(query)}
    return {tab: sum(numbers.get(state, 0) for state in chosen) for tab, chosen in TABS.items()}


def choices() -> dict[str, list]:
    """What can be chosen in the filters: centers and data types of what is in review."""
    here = Dataset.state.in_(IN_REVIEW)
    centers = select(Center.id, Center.name).where(Center.id.in_(select(Dataset.center_id).where(here)))
    types = select(Dataset.data_type).where(here, Dataset.data_type != "").distinct().order_by(Dataset.data_type)
    return {
        "centers": [tuple(row) for row in db.session.execute(centers.order_by(Center.name).limit(500))],
        "types": [(name, name) for name in db.session.scalars(types.limit(100))],
    }


def place_in_queue(dataset: Dataset) -> int:
    query = select(func.count()).where(Dataset.state == states.SUBMITTED, Dataset.submitted_at < dataset.submitted_at)
    return int(db.session.scalar(query) or 0) + 1


def history(dataset: Dataset, *, file_id: int | None = None, limit: int = 200) -> list[tuple[Event, str | None]]:
    """The newest events of a dataset, or of one of its files, with who caused them."""
    query = select(Event, Account.name).outerjoin(Account, Account.id == Event.actor_id)
    query = query.where(Event.dataset_id == dataset.id)
    if file_id is not None:
        query = query.where(Event.file_id == file_id)
    return [(event, name) for event, name in db.session.execute(query.order_by(Event.id.desc()).limit(limit))]
