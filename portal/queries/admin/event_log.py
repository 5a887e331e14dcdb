"""The history for its readers: filtered, newest first, by id. Days become ids, so that no filter walks the whole table.

What concerns a person is what they did and what was done to their account."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from portal import clock, db
from portal.models import Account, Center, Dataset, Event, File

PIECE = 1000
PERSONAL = ("account.", "token.", "webhook.")
COLUMNS = tuple(Event.__table__.columns)  # rows, because objects would cost most of the time of a long file
# Ids follow the clock as long as nobody sets it back; so much of that is forgiven.
SLACK = clock.HOUR


@dataclass(frozen=True)
class Filter:
    """What is asked for; None is anything. `since` and `until` bound the time: from, and up to but without."""

    person: int | None = None
    center: int | None = None
    dataset: int | None = None
    action: str = ""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Line:
    """An event and the names of what it speaks of."""

    event: Row
    actor: Account | None
    about: Account | None
    center: str
    accession: str
    file: str


@dataclass(frozen=True)
class Found:
    rows: list[Line]
    newer: int = 0
    older: int = 0


def page(asked: Filter, *, after: int = 0, before: int = 0, limit: int = 100) -> Found:
    """The events behind the id `after` in falling order, or those just in front of `before`."""
    conditions = _conditions(asked)
    if before:
        events = _take(asked, [*conditions, Event.id > before], limit + 1, rising=True)
        more, events = len(events) > limit, events[:limit][::-1]
        newer, older = more, bool(events)
    else:
        events = _take(asked, [*conditions, *([Event.id < after] if after else [])], limit + 1)
        newer, older, events = bool(after), len(events) > limit, events[:limit]
    if not events:
        return Found([])
    return Found(lines(events), events[0].id if newer else 0, events[-1].id if older else 0)


def every(asked: Filter) -> Iterator[Line]:
    """All that is asked for, in pieces that each give their snapshot back."""
    conditions, last = _conditions(asked), 0
    while True:
        events = _take(asked, [*conditions, *([Event.id < last] if last else [])], PIECE)
        found = lines(events)
        db.end()
        yield from found
        if len(events) < PIECE:
            return
        last = events[-1].id


def _take(asked: Filter, conditions: list, limit: int, *, rising: bool = False) -> list[Row]:
    """The next events in order. Each branch of a person has an index of its own; an OR would have none."""
    order = Event.id.asc() if rising else Event.id.desc()
    found = [
        db.session.execute(select(*COLUMNS).where(*conditions, *branch).order_by(order).limit(limit)).all()
        for branch in _branches(asked)
    ]
    if len(found) == 1:
        return list(found[0])
    merged = heapq.merge(*found, key=lambda event: event.id, reverse=not rising)
    return list({event.id: event for event in merged}.values())[:limit]


def _branches(asked: Filter) -> list[list]:
    if asked.person is None:
        return [[]]
    about = Event.after["account"].as_integer() == asked.person
    return [[Event.actor_id == asked.person], [about, Event.action.in_(_personal())]]


def _personal() -> list[str]:
    """Actions that are done to an account."""
    return [action for action in actions() if action.startswith(PERSONAL)]


def _conditions(asked: Filter) -> list:
    found: list[Any] = []
    if asked.center is not None:
        found.append(Event.center_id == asked.center)
    if asked.dataset is not None:
        found.append(Event.dataset_id == asked.dataset)
    if asked.action:
        found.append(Event.action == asked.action)
    if asked.since is not None:
        found += [Event.at >= asked.since, Event.id >= _first_id(asked.since - SLACK)]
    if asked.until is not None:
        found += [Event.at < asked.until, Event.id < _first_id(asked.until + SLACK)]
    return found


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
    found: list[str] = []
    while action := db.session.scalar(select(func.min(Event.action)).where(Event.action > (found or [""])[-1])):
        found.append(action)
    return found


def lines(events: list[Row]) -> list[Line]:
    people = _named(Account, {event.actor_id for event in events} | {about(event) for event in events})
    centers = _named(Center, {event.center_id for event in events})
    datasets = _named(Dataset, {event.dataset_id for event in events})
    files = _named(File, {event.file_id for event in events})
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


def about(event: Row) -> int | None:
    """The account that something was done to."""
    found = (event.after or event.before or {}).get("account")
    return found if isinstance(found, int) and event.action.startswith(PERSONAL) else None


def _named(model: Any, ids: set[int | None]) -> dict[int | None, Any]:
    wanted = ids - {None}
    return {row.id: row for row in db.session.scalars(select(model).where(model.id.in_(wanted)))} if wanted else {}
