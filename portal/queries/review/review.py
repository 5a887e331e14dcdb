"""The curators' queue with its filters and ages, and the history of a dataset."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from portal import clock, db, states
from portal.domain.datasets import failed_work
from portal.domain.datasets.failed_work import FailedWork
from portal.domain.permissions import access
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
_LAST, _OTHER = aliased(Remark), aliased(Remark)


@dataclass(frozen=True)
class Row:
    """A dataset in the queue. `since` is when its wait began (ms), `open` the number of open remarks, `has_question`
    whether its last word is a question to the submitter, `seen` the version that the reader saw last, `failed` the work
    that failed for good while it waits for it."""

    dataset: Dataset
    since: int
    open: int
    has_question: bool
    seen: int | None
    failed: list[FailedWork] = field(default_factory=list)

    @property
    def age(self) -> str:
        return age(clock.now() - self.since)

    @property
    def waits_for(self) -> str:
        """The curators decide what is submitted, unless the last word is a question of theirs."""
        if self.failed:
            return "a job that failed"
        if self.dataset.state == states.SUBMITTED:
            return "an answer of the submitter" if self.has_question else "a curator"
        return "the submitter" if self.dataset.state == states.RETURNED else "its release"


def age(ms: int) -> str:
    """3 d, 5 h, 12 min: the one unit that matters in a list."""
    for unit, length in (("d", clock.DAY), ("h", clock.HOUR)):
        if ms >= length:
            return f"{ms // length} {unit}"
    return f"{max(0, ms) // clock.MINUTE} min"


def queue(
    actor: Account,
    *,
    tab: str = "submitted",
    filters: Mapping[str, str] | None = None,
    after: str = "",
    before: str = "",
) -> keyset.Page:
    """The datasets of a tab that fit the filters, those that wait longest first."""
    query = select(Dataset).options(joinedload(Dataset.account), joinedload(Dataset.center))
    query = _filtered(query.where(Dataset.state.in_(TABS[tab]), Dataset.accession.is_not(None)), filters or {}, actor)
    since = func.coalesce(Dataset.submitted_at, Dataset.created_at)
    page = keyset.fetch(
        query,
        (since, Dataset.id),
        lambda row: (row[0].submitted_at or row[0].created_at, row[0].id),
        after=after,
        before=before,
        descending=False,
    )
    return keyset.Page(_rows([row[0] for row in page.rows], actor), page.newer, page.older)


def _filtered(query: Select[Dataset], filters: Mapping[str, str], actor: Account) -> Select[Dataset]:
    if filters.get("center", "").isdecimal():
        query = query.where(Dataset.center_id == int(filters["center"]))
    for name, column in (("access", Dataset.access), ("data_type", Dataset.data_type)):
        if filters.get(name):
            query = query.where(column == filters[name])
    for word in filters.get("text", "").lower().split():
        query = query.where(Dataset.search_text.contains(word, autoescape=True))
    whom = _waits(actor).get(filters.get("waits", ""))
    return query if whom is None else query.where(whom)


def _waits(actor: Account) -> dict[str, Any]:
    """Conditions by whom a dataset waits for: the values of the filter `waits`."""
    submitted = Dataset.state == states.SUBMITTED
    looked = exists().where(Look.dataset_id == Dataset.id)
    return {
        "curator": and_(submitted, ~_has_open_question()),
        "submitter": or_(Dataset.state == states.RETURNED, and_(submitted, _has_open_question())),
        "me": and_(submitted, looked.where(Look.account_id == actor.id)),
        "nobody": and_(submitted, ~looked),
    }


def _has_open_question() -> ColumnElement[bool]:
    """Condition: the newest remark since the submit is an open one of a curator."""
    newest = select(func.max(_OTHER.id)).where(_OTHER.dataset_id == Dataset.id, _OTHER.public).scalar_subquery()
    return exists().where(
        _LAST.id == newest,
        ~access.editable_by(_LAST.account_id),
        _LAST.turn == "",
        _LAST.done_at.is_(None),
        _LAST.created_at >= Dataset.submitted_at,
    )


def _rows(datasets: list[Dataset], actor: Account) -> list[Row]:
    ids = [dataset.id for dataset in datasets]
    decisions = select(Event.dataset_id, func.max(Event.at)).where(
        Event.dataset_id.in_(ids), Event.action.in_(("return", "recall", "approve"))
    )
    decided = {row[0]: row[1] for row in db.session.execute(decisions.group_by(Event.dataset_id))}
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
    questioned = set(db.session.scalars(select(Dataset.id).where(Dataset.id.in_(ids), _has_open_question())))
    looks = select(Look).where(Look.account_id == actor.id, Look.dataset_id.in_(ids))
    seen = {look.dataset_id: look.version for look in db.session.scalars(looks)}
    failed = failed_work.of_datasets(ids)
    return [
        Row(
            dataset,
            _since(dataset, decided),
            opened.get(dataset.id, 0),
            dataset.id in questioned,
            seen.get(dataset.id),
            failed[dataset.id],
        )
        for dataset in datasets
    ]


def _since(dataset: Dataset, decided: dict[int | None, int]) -> int:
    """Since when a dataset waits: `decided` are the moments of the last decisions, by dataset id."""
    if dataset.state == states.SUBMITTED:
        return dataset.submitted_at or dataset.created_at
    return decided.get(dataset.id) or dataset.updated_at


def waiting() -> dict[str, int]:
    """Number of datasets in each tab."""
    query = select(Dataset.state, func.count()).where(Dataset.accession.is_not(None)).group_by(Dataset.state)
    numbers = {row[0]: row[1] for row in db.session.execute(query)}
    return {tab: sum(numbers.get(state, 0) for state in chosen) for tab, chosen in TABS.items()}


def choices() -> dict[str, list[tuple[Any, ...]]]:
    """What can be chosen in the filters: centers and data types of what is in review."""
    in_review = Dataset.state.in_(IN_REVIEW)
    centers = select(Center.id, Center.name).where(Center.id.in_(select(Dataset.center_id).where(in_review)))
    types = select(Dataset.data_type).where(in_review, Dataset.data_type != "").distinct().order_by(Dataset.data_type)
    return {
        "centers": [tuple(row) for row in db.session.execute(centers.order_by(Center.name).limit(500))],
        "types": [(name, name) for name in db.session.scalars(types.limit(100))],
    }


def place_in_queue(dataset: Dataset) -> int:
    """The place of a submitted dataset among those that wait, from 1."""
    query = select(func.count()).where(Dataset.state == states.SUBMITTED, Dataset.submitted_at < dataset.submitted_at)
    return int(db.session.scalar(query) or 0) + 1


def history(dataset: Dataset, *, file_id: int | None = None, limit: int = 200) -> list[tuple[Event, str | None]]:
    """The newest events of a dataset, or of one of its files, with who caused them."""
    query = select(Event, Account.name).outerjoin(Account, Account.id == Event.actor_id)
    query = query.where(Event.dataset_id == dataset.id)
    if file_id is not None:
        query = query.where(Event.file_id == file_id)
    return [(event, name) for event, name in db.session.execute(query.order_by(Event.id.desc()).limit(limit))]
