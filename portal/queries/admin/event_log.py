"""The event log: filtered, newest first, paged by id. Days become ids, so that no filter walks the whole table.

The events of a person are what they did and what was done to their account."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, func, select

from portal import clock, db
from portal.models import Account, Center, Dataset, Event, File

Named = TypeVar("Named", Account, Center, Dataset, File)
BATCH = 1000
PERSONAL = ("account.", "token.", "webhook.")
COLUMNS = tuple(Event.__table__.columns)  # rows, because objects would cost most of the time of a long file
# Ids follow the clock as long as nobody sets it back; so much of that is forgiven.
SLACK = clock.HOUR


@dataclass(frozen=True)
class Filter:
    """Which events to list; None means any. `since` <= the time < `until`, in ms."""

    person: int | None = None
    center: int | None = None
    dataset: int | None = None
    action: str = ""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Line:
    """An event and the names of what it speaks of."""

    event: Row[*tuple[Any, ...]]
    actor: Account | None
    about: Account | None
    center: str
    accession: str
    file: str


@dataclass(frozen=True)
class EventPage:
    """Lines, newest first, and the ids to page on from; 0 where there is no further page."""

    rows: list[Line]
    newer: int = 0
    older: int = 0


def page(criteria: Filter, *, after: int = 0, before: int = 0, limit: int = 100) -> EventPage:
    """The events behind the id `after` in falling order, or those just in front of `before`."""
    conditions = _conditions(criteria)
    if before:
        events = _take(criteria, [*conditions, Event.id > before], limit + 1, rising=True)
        more, events = len(events) > limit, events[:limit][::-1]
        newer, older = more, bool(events)
    else:
        events = _take(criteria, [*conditions, *([Event.id < after] if after else [])], limit + 1)
        newer, older, events = bool(after), len(events) > limit, events[:limit]
    if not events:
        return EventPage([])
    return EventPage(lines(events), events[0].id if newer else 0, events[-1].id if older else 0)


def every_line(criteria: Filter) -> Iterator[Line]:
    """All events that pass a filter, in batches between which no database snapshot is held."""
    conditions, last = _conditions(criteria), 0
    while True:
        events = _take(criteria, [*conditions, *([Event.id < last] if last else [])], BATCH)
        batch = lines(events)
        db.end()
        yield from batch
        if len(events) < BATCH:
            return
        last = events[-1].id


def _take(
    criteria: Filter, conditions: list[ColumnElement[bool]], limit: int, *, rising: bool = False
) -> list[Row[*tuple[Any, ...]]]:
    """The next events in order. Each branch of a person has an index of its own; an OR would have none."""
    order = Event.id.asc() if rising else Event.id.desc()
    branches = [
        db.session.execute(select(*COLUMNS).where(*conditions, *branch).order_by(order).limit(limit)).all()
        for branch in _branches(criteria)
    ]
    if len(branches) == 1:
        return list(branches[0])
    merged = heapq.merge(*branches, key=lambda event: event.id, reverse=not rising)
    return list({event.id: event for event in merged}.values())[:limit]


def _branches(criteria: Filter) -> list[list[ColumnElement[bool]]]:
    """Conditions whose results together are the events of a person; one without conditions where nobody is named."""
    if criteria.person is None:
        return [[]]
    about = Event.after["account"].as_integer() == criteria.person
    return [[Event.actor_id == criteria.person], [about, Event.action.in_(_personal())]]


def _personal() -> list[str]:
    """Actions that are done to an account."""
    return [action for action in actions() if action.startswith(PERSONAL)]


def _conditions(criteria: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.center is not None:
        conditions.append(Event.center_id == criteria.center)
    if criteria.dataset is not None:
        conditions.append(Event.dataset_id == criteria.dataset)
    if criteria.action:
        conditions.append(Event.action == criteria.action)
    if criteria.since is not None:
        conditions += [Event.at >= criteria.since, Event.id >= _first_id(criteria.since - SLACK)]
    if criteria.until is not None:
        conditions += [Event.at < criteria.until, Event.id < _first_id(criteria.until + SLACK)]
    return conditions


def _first_id(moment: int) -> int:
    """The lowest id whose event is not older than a moment, by halving."""
    low, high = 1, (db.session.scalar(select(func.max(Event.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = db.session.execute(select(Event.id, Event.at).where(Event.id >= middle).order_by(Event.id).limit(1)).one()
        if row.at < moment:
            low = row.id + 1
        else:
            high = middle
    return low


def actions() -> list[str]:
    """Every action that ever happened, each found by one step through the index."""
    names: list[str] = []
    while action := db.session.scalar(select(func.min(Event.action)).where(Event.action > (names or [""])[-1])):
        names.append(action)
    return names


def lines(events: list[Row[*tuple[Any, ...]]]) -> list[Line]:
    """Events with the names of what they speak of; one statement a table."""
    people = _by_id(Account, {event.actor_id for event in events} | {about(event) for event in events})
    centers = _by_id(Center, {event.center_id for event in events})
    datasets = _by_id(Dataset, {event.dataset_id for event in events})
    files = _by_id(File, {event.file_id for event in events})
    return [
        Line(
            event,
            people.get(event.actor_id),
            people.get(about(event)),
            center=centers[event.center_id].name if event.center_id in centers else "",
            accession=datasets[event.dataset_id].accession or "" if event.dataset_id in datasets else "",
            file=files[event.file_id].name if event.file_id in files else "",
        )
        for event in events
    ]


def about(event: Row[*tuple[Any, ...]]) -> int | None:
    """The account that something was done to."""
    account_id = (event.after or event.before or {}).get("account")
    return account_id if isinstance(account_id, int) and event.action.startswith(PERSONAL) else None


def _by_id(model: type[Named], ids: set[int | None]) -> dict[int | None, Named]:
    given = ids - {None}
    return {row.id: row for row in db.session.scalars(select(model).where(model.id.in_(given)))} if given else {}
