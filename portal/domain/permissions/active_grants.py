"""Who may download what of controlled data now, asked at every request; and what was downloaded under a grant."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, select

from portal import clock, db, states
from portal.models import Account, Counter, Dataset, Event, File, Request, RequestFile

PUBLIC = (states.RELEASED, states.SUPPRESSED)
CLOCK = "clock"
BATCH = 2_000


def latest_moment() -> int:
    """The latest moment that was ever seen: a clock that is set back does not revive what has ended."""
    return max(clock.now(), db.session.scalar(select(Counter.next).where(Counter.name == CLOCK)) or 0)


def _live(closing: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a grant that is open now, of a dataset that is released and controlled, to a living account."""
    return (
        Request.state == states.GRANTED,
        Request.from_at <= clock.now(),
        Request.until_at > closing,
        Dataset.id == Request.dataset_id,
        Dataset.state.in_(PUBLIC),
        Dataset.access == "controlled",
        Account.id == Request.account_id,
        Account.state == "active",
    )


@dataclass(frozen=True)
class Grant:
    """A grant that is open now. `numbers` are those of its files; None: the whole dataset."""

    id: int
    dataset_id: int
    until_at: int
    numbers: frozenset[int] | None = None


def find(dataset_id: int, account_id: int) -> Grant | None:
    """The open grant of an account for a dataset."""
    query = select(Request.id, Request.dataset_id, Request.until_at, Request.whole).where(
        *_live(latest_moment()), Request.dataset_id == dataset_id, Request.account_id == account_id
    )
    row = db.session.execute(query).first()
    if row is None:
        return None
    return Grant(row.id, row.dataset_id, row.until_at or 0, None if row.whole else numbers(row.id))


def numbers(request_id: int) -> frozenset[int]:
    """The numbers of the files to which a grant is bound."""
    query = select(File.n).join(RequestFile, RequestFile.file_id == File.id)
    return frozenset(db.session.scalars(query.where(RequestFile.request_id == request_id)))


def granted_to(account_id: int) -> list[Row[*tuple[Any, ...]]]:
    """The datasets open to an account by grant now. `bound` is the request where only chosen files are granted."""
    bound = case((Request.whole, None), else_=Request.id).label("bound")
    columns = (Dataset.id, Dataset.accession, Dataset.realm, Dataset.released_at, Request.id.label("request_id"), bound)
    query = select(*columns).where(*_live(latest_moment()), Request.account_id == account_id)
    return list(db.session.execute(query.order_by(Dataset.accession)))


def open_now(ids: set[int]) -> set[int]:
    """Which of these grants are still open."""
    return (
        set(db.session.scalars(select(Request.id).where(*_live(latest_moment()), Request.id.in_(ids))))
        if ids
        else set()
    )


def downloads(request: Request) -> Iterator[Event]:
    """Each download under a grant, the oldest first; one that has no end was broken off by the end of the server."""
    yield from _downloads(
        Event.actor_id == request.account_id, Event.dataset_id == request.dataset_id, request_id=request.id
    )


def newest_downloads(request: Request, limit: int) -> tuple[list[Event], int]:
    """The newest downloads under a grant, newest first, and how many ended in all."""
    mine = (Event.actor_id == request.account_id, Event.dataset_id == request.dataset_id)
    query = select(Event).where(*mine, Event.action.in_(("download.begin", "download")))
    newest: list[Event] = []
    over: set[str] = set()
    for event in db.session.scalars(query.order_by(Event.id.desc()).limit(limit * 4)):
        after = event.after or {}
        if after.get("request") != request.id or len(newest) == limit:
            continue
        if event.action == "download":
            over.add(after.get("key", ""))
        if event.action == "download" or after.get("key") not in over:
            newest.append(event)
    number = select(func.count()).where(
        *mine,
        Event.action == "download",
        Event.at >= (request.decided_at or 0),
        Event.at <= (request.ended_at or clock.now()) + clock.HOUR,
    )
    return newest, max(len(newest), int(db.session.scalar(number) or 0))


def downloads_of(dataset: Dataset) -> Iterator[Event]:
    """Each download of a controlled dataset under any grant."""
    yield from _downloads(Event.dataset_id == dataset.id)


def _downloads(*conditions: ColumnElement[bool], request_id: int | None = None) -> Iterator[Event]:
    """Events of downloads, read in batches by id. A beginning is given only where no end follows."""
    last = 0
    begun: dict[Any, Event] = {}
    while rows := list(
        db.session.scalars(
            select(Event)
            .where(*conditions, Event.action.in_(("download.begin", "download")), Event.id > last)
            .order_by(Event.id)
            .limit(BATCH)
        )
    ):
        last = rows[-1].id
        for row in rows:
            after = row.after or {}
            if request_id is not None and after.get("request") != request_id:
                continue
            if row.action == "download.begin":
                begun[after.get("key")] = row
            else:
                begun.pop(after.get("key"), None)
                yield row
    yield from begun.values()
