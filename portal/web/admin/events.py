"""The history: filtered by person, center, dataset, action and days; the same as a CSV file of any length."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Response, render_template, request

from portal import clock, db, errors
from portal.config import settings
from portal.domain.accounts import accounts, centers
from portal.models import Dataset
from portal.queries.admin import event_log
from portal.queries.admin.event_log import Filter, Line
from portal.web import permissions
from portal.web.admin.blueprint import asked, bp

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
PIECE = 64 << 10


@bp.get("/events")
@permissions.curator_only
def events() -> Response | str:
    here = asked(*FILTERS)
    try:
        wanted, wrong = chosen(here), {}
    except errors.Invalid as error:
        wanted, wrong = None, error.fields
    found = event_log.page(wanted, **cursor()) if wanted else event_log.Found([])
    return render_template("admin/events.html", found=found, here=here, errors=wrong, actions=event_log.actions())


def cursor() -> dict[str, int]:
    return {name: request.args.get(name, 0, type=int) for name in ("after", "before")}


@bp.get("/events.csv")
@permissions.curator_only
def events_csv() -> Response:
    wanted = chosen(asked(*FILTERS))
    name = f"events-{clock.today(settings().timezone):%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(pieces(wanted), mimetype="text/csv", headers=headers)


def chosen(here: dict[str, str]) -> Filter:
    """The filter that was typed. Raises Invalid with a sentence for each part that means nothing."""
    wrong: dict[str, str] = {}
    found: dict[str, Any] = {"action": here.get("action", "")}
    for name, read in (("person", person), ("center", center), ("dataset", dataset), ("from", day), ("to", day)):
        try:
            found[name] = read(here[name].strip()) if here.get(name, "").strip() else None
        except errors.DomainError as error:
            wrong[name] = error.sentence
    if wrong:
        raise errors.Invalid(fields=wrong)
    first, last = found.pop("from"), found.pop("to")
    zone = settings().timezone
    return Filter(
        **found,
        since=clock.midnight(first, zone) if first else None,
        until=clock.midnight(last + timedelta(days=1), zone) if last else None,
    )


def person(typed: str) -> int:
    account = accounts.by_email(typed)
    if account is None:
        raise errors.NotFound(f"Nobody here has the address {typed}.")
    return account.id


def center(typed: str) -> int:
    found = centers.find(typed)
    if found is None:
        raise errors.NotFound(f"There is no center called {typed}.")
    return found.id


def dataset(typed: str) -> int:
    """An accession, of a file too; or the number of a draft, which may be gone."""
    if typed.isascii() and typed.isdigit() and len(typed) < 16:
        return int(typed)
    accession = typed.upper().partition("-")[0]
    row = db.session.query(Dataset.id).filter(Dataset.accession == accession).first()
    if row is None:
        raise errors.NotFound(f"There is no dataset {typed}.")
    return row.id


def day(typed: str) -> date:
    try:
        found = date.fromisoformat(typed)
    except ValueError as error:
        raise errors.Invalid("Write a day as 2026-11-20.") from error
    if not 1970 < found.year < 3000:
        raise errors.Invalid("There was no portal in that year.")
    return found


def pieces(wanted: Filter) -> Iterator[str]:
    """The file in pieces: it is never whole in memory, and no snapshot is held while a slow reader takes it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    try:
        for line in event_log.every(wanted):
            writer.writerow([harmless(value) for value in cells(line)])
            if buffer.tell() > PIECE:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()
    finally:
        db.end()


def cells(line: Line) -> list[Any]:
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


def instant(event: Any) -> str:
    return datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="milliseconds")


def as_json(value: dict | None) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet program runs."""
    if not isinstance(value, str) or not value or value[0].isalnum():
        return value
    return f"'{value}" if value.lstrip(" ").startswith(FORMULA) else value
