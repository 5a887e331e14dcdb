"""All that a download leaves behind, whichever way its bytes go out: for controlled data two events of the history, for
public data the counts of its day. Steps 3 and 6 of a download (docs/architecture.md)."""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select, update

from portal import clock, db, errors
from portal.config import settings
from portal.domain.shared import history
from portal.models import Dataset, DownloadDay, Event, Request

log = logging.getLogger(__name__)
BEGUN, ENDED = "download.begin", "download"
BATCH = 2_000


@dataclass(frozen=True)
class Download:
    """Who gets which bytes, over which protocol, from where. `name` is that of the file, or all.zip.

    `offset` and `length` are in bytes, of the part that is sent. `is_controlled`: it is written down; `is_counted`: its
    dataset is public. `key` joins its beginning to its end.
    """

    dataset_id: int
    name: str
    via: str
    length: int
    offset: int = 0
    account_id: int | None = None
    request_id: int | None = None
    file_id: int | None = None
    address: str = ""
    is_controlled: bool = False
    is_counted: bool = True
    key: str = field(default_factory=lambda: secrets.token_hex(8))


def begin(download: Download) -> None:
    """Before the first byte: what cannot be written down is not served. Raises Busy. Leaves `download.begin`."""
    if download.is_controlled:
        with db.transaction():
            record(BEGUN, download)


def end(download: Download, size: int, *, files: int) -> None:
    """After the last byte: `size` bytes went out, with which `files` files count as fetched. Leaves `download` and the
    counts of today. The bytes are gone by now, so a database that is busy is only told of in the log."""
    counts = download.is_counted and bool(size or files)
    if not counts and not download.is_controlled:
        return
    try:
        with db.transaction():
            if download.is_controlled:
                record(ENDED, download, size=size)
            if counts:
                _count(download.dataset_id, files=files, size=size)
    except errors.Busy:
        log.warning("the end of the download %s was not kept", download.key)
    finally:
        db.end()


def record(action: str, download: Download, *, size: int = 0) -> None:
    """One event: begun (BEGUN), or over (ENDED) with the bytes that went out."""
    dataset = db.session.get_one(Dataset, download.dataset_id)
    history.append(
        action,
        actor_id=download.account_id,
        center_id=dataset.center_id,
        dataset_id=dataset.id,
        file_id=download.file_id,
        after={
            "request": download.request_id,
            "key": download.key,
            "name": download.name,
            "via": download.via,
            "address": download.address,
            "offset": download.offset,
            "length": download.length,
            "bytes": size,
            "whole": action == ENDED and size == download.length,
        },
    )


def _count(dataset_id: int, *, files: int, size: int) -> None:
    """Add files and bytes to the counts of today, in the site's zone."""
    day = clock.today(settings().timezone).isoformat()
    mine = (DownloadDay.dataset_id == dataset_id, DownloadDay.day == day)
    more = update(DownloadDay).where(*mine).values(files=DownloadDay.files + files, bytes=DownloadDay.bytes + size)
    if not db.change(more):
        db.session.add(DownloadDay(dataset_id=dataset_id, day=day, files=files, bytes=size))
        db.session.flush()


def of_request(request: Request) -> Iterator[Event]:
    """Each download under a grant, the oldest first; one that has no end was broken off by the end of the server."""
    yield from _events(
        Event.actor_id == request.account_id, Event.dataset_id == request.dataset_id, request_id=request.id
    )


def of_dataset(dataset: Dataset) -> Iterator[Event]:
    """Each download of a controlled dataset under any grant."""
    yield from _events(Event.dataset_id == dataset.id)


def newest(request: Request, limit: int) -> tuple[list[Event], int]:
    """The newest downloads under a grant, newest first, and how many ended in all."""
    mine = (Event.actor_id == request.account_id, Event.dataset_id == request.dataset_id)
    query = select(Event).where(*mine, Event.action.in_((BEGUN, ENDED)))
    shown: list[Event] = []
    ended: set[str] = set()
    for event in db.session.scalars(query.order_by(Event.id.desc()).limit(limit * 4)):
        after = event.after or {}
        if after.get("request") != request.id or len(shown) == limit:
            continue
        if event.action == ENDED:
            ended.add(after.get("key", ""))
        if event.action == ENDED or after.get("key") not in ended:
            shown.append(event)
    number = select(func.count()).where(
        *mine,
        Event.action == ENDED,
        Event.at >= (request.decided_at or 0),
        Event.at <= (request.ended_at or clock.now()) + clock.HOUR,
    )
    return shown, max(len(shown), int(db.session.scalar(number) or 0))


def _events(*conditions: ColumnElement[bool], request_id: int | None = None) -> Iterator[Event]:
    """Events of downloads, read in batches by id. A beginning is given only where no end follows."""
    last = 0
    begun: dict[object, Event] = {}
    while rows := list(
        db.session.scalars(
            select(Event)
            .where(*conditions, Event.action.in_((BEGUN, ENDED)), Event.id > last)
            .order_by(Event.id)
            .limit(BATCH)
        )
    ):
        last = rows[-1].id
        for row in rows:
            after = row.after or {}
            if request_id is not None and after.get("request") != request_id:
                continue
            if row.action == BEGUN:
                begun[after.get("key")] = row
            else:
                begun.pop(after.get("key"), None)
                yield row
    yield from begun.values()
