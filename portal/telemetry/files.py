"""The Files report of a center: every upload, a package by its members, with what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from portal import db, states
from portal.inspect import words
from portal.models import Component, ComponentFile, Dataset, File, Member, Upload
from portal.telemetry import tabs
from portal.telemetry.accessions import status_of

HEAD = ("realm", "upload_id", "upload_date", "file_name", "file_size", "file_md5sum", "upload_name", "upload_size",
        "upload_md5sum", "file_status", "file_type", "load_date", "file_error", "submissions", "loaded_runs",
        "unloaded_runs", "suppressed_runs", "loaded_analyses", "unloaded_analyses", "suppressed_analyses")  # fmt: skip
REALMS = {"open": "Open", "protected": "Protected"}
# The portal's own failures, and the vocabulary's internal errors.
OURS = ("copy_error", "failure_during_copy", "upload_file_not_found")
LOOKED = (states.INSPECTED, states.UNCHECKED)
MEMBERS = 10_000
NO_LINKS = "\t" * 6


@dataclass(slots=True)
class Links:
    """Accessions of the runs and analyses of one upload, by column."""

    columns: list[list[str]] = field(default_factory=lambda: [[] for _ in range(6)])

    def add(self, kind: str, accession: str, state: str, status: str) -> None:
        rank = 2 if status == "suppressed" else 0 if state == states.LOADED else 1
        self.columns[rank if kind == "RUN" else 3 + rank].append(accession)

    @property
    def text(self) -> str:
        return "".join("\t" + ",".join(column) for column in self.columns)


def head() -> str:
    return "\t".join(HEAD) + "\n"


def blocks(center_id: int, *, since: int = 0) -> Iterator[tuple[int, str]]:
    """(upload id, its lines) in the order of the uploads; with `since` those that came or changed since a moment."""
    days = tabs.Days()
    for rows in tabs.portions(_uploads(center_id, since), Upload.id):
        with db.reading():
            links = _links(center_id, rows[0].id, rows[-1].id)
        members = _members([row for row in rows if row.member_count and row.inspection in LOOKED])
        waiting = next(members, None)
        for row in rows:
            if waiting is not None and waiting[0] == row.id:
                yield row.id, _package(row, waiting[1], links.get(row.id), days)
                waiting = next(members, None)
            else:
                yield row.id, _single(row, links.get(row.id), days)


def _uploads(center_id: int, since: int) -> Any:
    heir = aliased(File)
    query = (
        select(Upload.id, Upload.realm, Upload.received_at, Upload.created_at, Upload.name, Upload.size, Upload.md5,
               Upload.state, Upload.replaced_by, Upload.area, Upload.file_type, Upload.loaded_at, Upload.error,
               Upload.inspection, Upload.member_count, File.state.label("file_state"), File.error.label("file_error"),
               File.archived_at, heir.upload_id.label("heir"), Dataset.accession, Dataset.state.label("dataset_state"))
        .outerjoin(File, File.upload_id == Upload.id).outerjoin(heir, heir.id == File.replaced_by)
        .outerjoin(Dataset, Dataset.id == File.dataset_id)
        .where(Upload.center_id == center_id, Upload.state != states.RECEIVING)
    )  # fmt: skip
    if since:
        moments = (Upload.created_at, Upload.received_at, Upload.loaded_at, Upload.inspected_at, File.updated_at,
                   Dataset.updated_at)  # fmt: skip
        query = query.where(or_(*(moment >= since for moment in moments)))
    return query


def _links(center_id: int, first: int, last: int) -> dict[int, Links]:
    mine = select(Upload.id).where(Upload.center_id == center_id, Upload.id >= first, Upload.id <= last)
    query = (
        select(File.upload_id, Component.type, Component.accession, Component.state, Component.status,
               Dataset.state.label("dataset_state"))
        .join(ComponentFile, ComponentFile.file_id == File.id)
        .join(Component, Component.id == ComponentFile.component_id).join(Dataset, Dataset.id == Component.dataset_id)
        .where(File.upload_id.in_(mine), Component.accession.is_not(None), Dataset.accession.is_not(None),
               Component.type.in_(("RUN", "ANALYSIS")))
        .order_by(File.upload_id, Component.id)
    )  # fmt: skip
    found: dict[int, Links] = {}
    for upload_id, kind, accession, state, own, dataset_state in db.session.execute(query):
        status = status_of(own, dataset_state)
        if status != "withdrawn":
            found.setdefault(upload_id or 0, Links()).add(kind, accession or "", state, status)
    return found


def _members(rows: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    """The members of packages, of as many at a time as have ten thousand together."""
    while rows:
        count, end = 0, 0
        while end < len(rows) and (end == 0 or count + rows[end].member_count <= MEMBERS):
            count += rows[end].member_count
            end += 1
        part, rows = rows[:end], rows[end:]
        query = select(Member.upload_id, Member.name, Member.size, Member.md5, Member.file_type, Member.error).where(
            Member.upload_id.in_([row.id for row in part])).order_by(Member.upload_id, Member.n)  # fmt: skip
        found: dict[int, list[Any]] = {}
        with db.reading():
            for member in db.session.execute(query):
                found.setdefault(member.upload_id, []).append(member)
        yield from sorted(found.items())


def _single(row: Any, links: Links | None, days: tabs.Days) -> str:
    error = _error(row)
    before, behind = _ends(row, links, days)
    return (f"{before}{row.name}\t{row.size}\t{row.md5 or ''}\t=\t=\t=\t{status(row, error)}\t{row.file_type or ''}\t"
            f"{days(row.archived_at or row.loaded_at)}\t{error}{behind}")  # fmt: skip


def _package(row: Any, members: list[Any], links: Links | None, days: tabs.Days) -> str:
    """One line a member; its own error, else that of its package."""
    own = _error(row)
    before, behind = _ends(row, links, days)
    package = f"\t{row.name}\t{row.size}\t{row.md5 or ''}\t"
    loaded = days(row.archived_at or row.loaded_at)
    found = []
    for _upload, name, size, md5, kind, told in members:
        error = told or own
        found.append(f"{before}{tabs.cell(name)}\t{size}\t{md5 or ''}{package}{status(row, error)}\t{kind}\t{loaded}\t"
                     f"{error}{behind}")  # fmt: skip
    return "".join(found)


def _ends(row: Any, links: Links | None, days: tabs.Days) -> tuple[str, str]:
    """What all lines of an upload begin and end with."""
    before = f"{REALMS[row.realm]}\t{row.id}\t{days(row.received_at or row.created_at)}\t"
    submission = row.accession or ""
    return before, f"\t{submission}{links.text if links else NO_LINKS}\n"


def _error(row: Any) -> str:
    if row.state == states.INCOMPLETE:
        return "truncated_file"
    return row.file_error or row.error or ""


def status(row: Any, error: str) -> str:
    """The word of file_status. What is archived is loaded, whatever was found odd about it."""
    if row.state in (states.OBSOLETE, states.EXPIRED) or row.file_state in states.DEAD_FILES:
        heir = row.replaced_by or row.heir
        return f"replaced_by_{heir}" if heir else "Obsolete"
    if row.state == states.ARCHIVED:
        return "Obsolete" if row.dataset_state == states.WITHDRAWN else "Loaded"
    if error in OURS:
        return "Failed"
    if error and not words.is_hint(error):
        return "Error"
    if row.state == states.FAILED:
        return "Failed"
    return "Done" if row.area == "test" and row.md5 and row.inspection in LOOKED else "Received"


def count(center_id: int) -> int:
    """How many uploads a center has sent."""
    query = select(func.count()).where(Upload.center_id == center_id, Upload.state != states.RECEIVING)
    return int(db.session.scalar(query.select_from(Upload)) or 0)
