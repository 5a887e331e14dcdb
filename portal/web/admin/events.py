"""The event log: filtered by person, center, dataset, action and days; the same as a CSV file of any length."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import Row, select

from portal import clock, db, errors
from portal.config import settings
from portal.domain.accounts import accounts, centers
from portal.messages import Message, say
from portal.models import Dataset
from portal.queries.admin import event_log
from portal.queries.admin.event_log import Filter, Line
from portal.web import permissions
from portal.web.admin.blueprint import bp, filters

FILTERS = ("person", "center", "dataset", "action", "from", "to")
COLUMNS = (
    "id",
    "time",
    "person",
    "name",
    "action",
    "account",
    "center",
    "dataset",
    "file",
    "upload",
    "before",
    "after",
    "note",
)
# What a spreadsheet program takes for the begin of a formula; such a cell is marked as text.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PART_BYTES = 64 << 10


@bp.get("/events")
@permissions.curator_only
def events() -> Response | str:
    chosen = filters(*FILTERS)
    wrong: dict[str, str] = {}
    try:
        page = event_log.page(criteria(chosen), **cursor())
    except errors.Invalid as error:
        page, wrong = event_log.EventPage([]), error.fields
    return render_template("admin/events.html", page=page, filters=chosen, errors=wrong, actions=event_log.actions())


def cursor() -> dict[str, int]:
    return {name: request.args.get(name, 0, type=int) for name in ("after", "before")}


@bp.get("/events.csv")
@permissions.curator_only
def events_csv() -> Response:
    wanted_events = criteria(filters(*FILTERS))
    name = f"events-{clock.today(settings().timezone):%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(csv_parts(wanted_events), mimetype="text/csv", headers=headers)


def criteria(chosen: dict[str, str]) -> Filter:
    """The filter that was typed. Raises Invalid with a sentence for each part that means nothing."""
    wrong: dict[str, Message] = {}
    bounds: dict[str, Any] = {"action": chosen.get("action", "")}
    for name, read in (
        ("person", person),
        ("center", center),
        ("dataset", dataset),
        ("from", parse_day),
        ("to", parse_day),
    ):
        try:
            bounds[name] = read(chosen[name].strip()) if chosen.get(name, "").strip() else None
        except errors.DomainError as error:
            wrong[name] = error.message
    if wrong:
        raise errors.Invalid(fields=wrong)
    first, last = bounds.pop("from"), bounds.pop("to")
    zone = settings().timezone
    return Filter(
        **bounds,
        since=clock.midnight(first, zone) if first else None,
        until=clock.midnight(last + timedelta(days=1), zone) if last else None,
    )


def person(typed: str) -> int:
    """The id of the account of an e-mail address. Raises NotFound."""
    account = accounts.by_email(typed)
    if account is None:
        raise errors.NotFound(accounts.unknown(typed))
    return account.id


def center(typed: str) -> int:
    """The id of the center of a name. Raises NotFound."""
    row = centers.find(typed)
    if row is None:
        raise errors.NotFound(say("no_center_called", "There is no center called {name}.", name=typed))
    return row.id


def dataset(typed: str) -> int:
    """The id of a dataset by its accession or that of one of its files; or a number as it is, of a draft that may be
    gone. Raises NotFound."""
    if typed.isascii() and typed.isdigit() and len(typed) < 16:
        return int(typed)
    accession = typed.upper().partition("-")[0]
    dataset_id = db.session.scalar(select(Dataset.id).where(Dataset.accession == accession))
    if dataset_id is None:
        raise errors.NotFound(say("no_dataset_called", "There is no dataset {name}.", name=typed))
    return dataset_id


def parse_day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError as error:
        raise errors.Invalid(say("event_day_format", "Write a day as 2026-11-20.")) from error
    if not 1970 < day.year < 3000:
        raise errors.Invalid(say("day_out_of_range", "There was no portal in that year."))
    return day


def csv_parts(wanted_events: Filter) -> Iterator[str]:
    """The CSV file in parts: it is never whole in memory, and no snapshot is held while a slow reader takes it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    try:
        for line in event_log.every_line(wanted_events):
            writer.writerow([harmless(value) for value in cells(line)])
            if buffer.tell() > PART_BYTES:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()
    finally:
        db.end()


def cells(line: Line) -> list[object]:
    event = line.event
    who = [line.actor.email, line.actor.name] if line.actor else ["", ""]
    return [
        event.id,
        instant(event),
        *who,
        event.action,
        line.about.email if line.about else "",
        line.center,
        line.accession or event.dataset_id,
        line.file,
        event.upload_id,
        as_json(event.before),
        as_json(event.after),
        event.note,
    ]


def instant(event: Row[*tuple[Any, ...]]) -> str:
    return datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="milliseconds")


def as_json(value: dict[str, Any] | None) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def harmless(value: object) -> object:
    """A cell that no spreadsheet program takes for a formula."""
    if not isinstance(value, str) or not value or value[0].isalnum():
        return value
    return f"'{value}" if value.lstrip(" ").startswith(FORMULA) else value
