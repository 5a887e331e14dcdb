"""Downloads as a table that leaves the house: TSV or CSV, safe in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator

from sqlalchemy import select

from portal import db
from portal.domain.access_requests.signed_statement import moment
from portal.models import Account, Event

COLUMNS = ("at", "request", "name", "email", "file", "via", "address", "offset", "bytes", "whole")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
FLUSH_EVERY = 500


def rows(events: Iterable[Event]) -> Iterator[tuple[object, ...]]:
    """One line a download, with who it was."""
    people: dict[int, tuple[str, str]] = {}
    for event in events:
        who = event.actor_id or 0
        if who not in people:
            person = db.session.execute(select(Account.name, Account.email).where(Account.id == who)).first()
            people[who] = (person.name, person.email) if person else ("", "")
        after = event.after or {}
        facts = (after.get(name) for name in ("name", "via", "address", "offset", "bytes"))
        whole = "yes" if after.get("whole") else "no"
        yield moment(event.at), after.get("request") or "", *people[who], *facts, whole


def written(events: Iterable[Event], kind: str) -> Iterator[str]:
    """The table in pieces, with its header."""
    held = io.StringIO()
    writer = csv.writer(held, dialect="excel-tab" if kind == "tsv" else "excel", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for count, row in enumerate(rows(events), 1):
        writer.writerow([_plain(cell) for cell in row])
        if count % FLUSH_EVERY == 0:
            yield held.getvalue()
            held.seek(0)
            held.truncate()
    yield held.getvalue()


def _plain(cell: object) -> object:
    """A cell that a spreadsheet would run as a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
