"""The submissions of an account: all, published, or in need of attention; and the components of one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_, union_all

from portal import db, states
from portal.domain.permissions import access
from portal.models import Account, Component, Dataset, Editor, Event, File
from portal.queries.datasets import datasets
from portal.queries.files import tallies
from portal.queries.files.tallies import Tally
from portal.queries.paging import capped_count, keyset, name_search
from portal.queries.paging.capped_count import Count
from portal.queries.tracking.upload_filter import PROBLEM_FILE

TABS = {"submissions": states.DATASET.states, "published": datasets.PUBLISHED, "attention": datasets.ATTENTION}
WORST_FIRST = (states.ERROR, states.RECEIVED, states.LOADED)
COMPONENT_TYPES = ("SUBMISSION", "STUDY", "SAMPLE", "EXPERIMENT", "RUN", "ANALYSIS")


@dataclass(frozen=True)
class Row:
    """A dataset in the table, with how its parts stand and what a curator last said of it."""

    dataset: Dataset
    tally: Tally
    shown: states.Shown
    remark: Event | None = None
    by: str = ""
    fault: File | None = None

    @property
    def need(self) -> bool:
        overdue = self.shown is states.SHOWN_DATASET["overdue"]
        faulty = self.tally.files.get("fault") or self.tally.components.get(states.ERROR)
        return self.dataset.state == states.RETURNED or overdue or bool(faulty)


def own(account: Account, ref: str) -> Dataset | None:
    """A dataset that the account edits by accession or number."""
    name = Dataset.id == int(ref) if ref.isdecimal() and len(ref) < 18 else Dataset.accession == ref.upper()
    return db.session.scalar(select(Dataset).where(name, access.editable_by(account.id)))


def tabs(account: Account) -> dict[str, Count]:
    """How many submissions stand under each tab."""
    mine = select(Dataset.id).where(access.editable_by(account.id))
    return {tab: capped_count.count(mine.where(Dataset.state.in_(of_tab))) for tab, of_tab in TABS.items()}


def page(
    account: Account,
    tab: str,
    *,
    state: str = "",
    text: str = "",
    problems: bool = False,
    after: str = "",
    before: str = "",
    limit: int = keyset.PAGE,
) -> keyset.Page:
    """Own and shared ones, the last changed first. Each state is walked by itself, so that no page costs more
    than a few of them."""
    chosen_states = (state,) if state in TABS[tab] else TABS[tab]
    rest = _matching(account, text.strip(), problems)
    cursor = keyset.parse(before or after, 2)
    falling = not (before and cursor)
    shared = Dataset.id.in_(select(Editor.dataset_id).where(Editor.account_id == account.id))
    scans = [
        _walk([whose, Dataset.state == of_state, *rest], cursor, falling, limit + 1)
        for whose in (Dataset.account_id == account.id, shared)
        for of_state in chosen_states
    ]
    every = union_all(*scans).subquery()
    query = select(Dataset).join(every, every.c.id == Dataset.id)
    fetched = keyset.fetch(
        query,
        (Dataset.updated_at, Dataset.id),
        lambda row: (row[0].updated_at, row[0].id),
        after=after,
        before=before,
        limit=limit,
    )
    return keyset.Page(rows_of([row[0] for row in fetched.rows]), fetched.newer, fetched.older)


def _walk(
    where: list[ColumnElement[bool]], cursor: tuple[int, ...] | None, falling: bool, limit: int
) -> Select[*tuple[Any, ...]]:
    query = select(Dataset.id.label("id")).where(*where)
    if cursor is not None:
        here = tuple_(Dataset.updated_at, Dataset.id)
        query = query.where(here < cursor if falling else here > cursor)
    order = (Dataset.updated_at.desc(), Dataset.id.desc()) if falling else (Dataset.updated_at, Dataset.id)
    part = query.order_by(*order).limit(limit).subquery()
    return select(part.c.id)


def _matching(account: Account, text: str, problems: bool) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if text:
        conditions.append(or_(Dataset.title.contains(text, autoescape=True), Dataset.accession == text.upper()))
    if problems:
        faulty = select(File.dataset_id).where(File.dataset_id == Dataset.id, PROBLEM_FILE)
        broken = select(Component.id).where(Component.dataset_id == Dataset.id, Component.state == states.ERROR)
        conditions.append(or_(Dataset.state == states.RETURNED, faulty.exists(), broken.exists()))
    return conditions


def rows_of(page: list[Dataset]) -> list[Row]:
    counted = tallies.of(page)
    remarks = datasets.last_remarks([dataset.id for dataset in page if dataset.state == states.RETURNED])
    faults = _first_faults([dataset.id for dataset in page if counted[dataset.id].files.get("fault")])
    rows = []
    for dataset in page:
        remark, by = remarks.get(dataset.id, (None, ""))
        shown = datasets.shown(dataset)
        rows.append(Row(dataset, counted[dataset.id], shown, remark, by, faults.get(dataset.id)))
    return rows


def _first_faults(ids: list[int]) -> dict[int, File]:
    """A faulty file of each, for the Comments."""
    first = []
    for state in (states.ERROR, states.FAILED):
        query = select(File.id).where(File.dataset_id == Dataset.id, File.state == state).correlate(Dataset)
        first.append(query.order_by(File.n).limit(1).scalar_subquery())
    chosen = select(func.coalesce(*first)).where(Dataset.id.in_(ids))
    return (
        {file.dataset_id: file for file in db.session.scalars(select(File).where(File.id.in_(chosen)))} if ids else {}
    )


def components(
    dataset: Dataset,
    *,
    state: str = "",
    kind: str = "",
    text: str = "",
    after: str = "",
    before: str = "",
    limit: int = keyset.PAGE,
) -> keyset.Page:
    """What could not be loaded first, then what waits, then what is loaded, each as it came. A cursor is the rank of
    the state and the id."""
    ranks = [rank for rank, worst in enumerate(WORST_FIRST) if state in ("", worst)]
    cursor = keyset.parse(before or after, 2)
    backwards = bool(before) and cursor is not None
    matching = _component_matching(dataset, kind, text.strip())
    ranked: list[tuple[int, Component]] = []
    for rank in reversed(ranks) if backwards else ranks:
        if cursor is not None and (rank > cursor[0] if backwards else rank < cursor[0]):
            continue
        query = select(Component).where(
            Component.dataset_id == dataset.id, Component.state == WORST_FIRST[rank], *matching
        )
        if cursor is not None and rank == cursor[0]:
            query = query.where(Component.id < cursor[1] if backwards else Component.id > cursor[1])
        query = query.order_by(Component.id.desc() if backwards else Component.id)
        ranked += [(rank, worst) for worst in db.session.scalars(query.limit(limit + 1 - len(ranked)))]
        if len(ranked) > limit:
            break
    more, rows = len(ranked) > limit, ranked[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return keyset.Page()
    first, last = (keyset.write((rank, worst.id)) for rank, worst in (rows[0], rows[-1]))
    has_newer, has_older = (more, True) if backwards else (cursor is not None, more)
    return keyset.Page([worst for _rank, worst in rows], first if has_newer else "", last if has_older else "")


def _component_matching(dataset: Dataset, kind: str, text: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Component.type == kind] if kind else []
    if not text:
        return conditions
    named_so = or_(Component.alias.contains(text, autoescape=True), Component.title.contains(text, autoescape=True))
    numbered = select(Component.id).where(Component.accession == text.upper())
    way = name_search.ids("component_text", Component.id, Component.dataset_id, dataset.id, [text], [named_so])
    ids = name_search.few(way)
    if ids is not None:
        conditions.append(Component.id.in_([*ids, *db.session.scalars(numbered)]))
    return [*conditions, or_(named_so, Component.accession == text.upper())]
