"""The Files report of a center: every upload, a package by its members, with what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, case, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal import db, states
from portal.domain.reports import tsv
from portal.domain.reports.accessions import status_of
from portal.inspection.error_codes import is_hint
from portal.models import Component, ComponentFile, Dataset, File, Member, Upload

HEAD = (
    "realm",
    "upload_id",
    "upload_date",
    "file_name",
    "file_size",
    "file_md5sum",
    "upload_name",
    "upload_size",
    "upload_md5sum",
    "file_status",
    "file_type",
    "load_date",
    "file_error",
    "submissions",
    "loaded_runs",
    "unloaded_runs",
    "suppressed_runs",
    "loaded_analyses",
    "unloaded_analyses",
    "suppressed_analyses",
)
REALMS = {"open": "Open", "protected": "Protected"}
# The portal's own failures, and the vocabulary's internal errors.
ARCHIVE_FAULTS = ("copy_error", "failure_during_copy", "upload_file_not_found")
LOOKED = (states.INSPECTED, states.UNCHECKED)
MEMBERS = 10_000
NO_LINKS = "\t" * 6
_HEIR = aliased(File)


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


def portions(center_id: int, *, since: int = 0) -> Iterator[list[tuple[int, str]]]:
    """(upload id, its lines) in the order of the uploads, a portion at a time; with `since` those that came or changed
    since a moment."""
    days, status_cells = tsv.Days(), StatusCells()
    for rows in tsv.portions(_uploads(center_id, since), Upload.id, plain=True):
        with db.reading():
            links = _links(center_id, rows[0][0], rows[-1][0])
        members = _members([(row[0], row[-1]) for row in rows if row[-1]])
        waiting = next(members, None)
        portion = []
        for number, realm, at, loaded, what, key, heir, submission, package in rows:
            begin, end = f"{REALMS[realm]}\t{number}\t{days(at)}\t", f"\t{submission}{links.get(number, NO_LINKS)}\n"
            if package and waiting is not None and waiting[0] == number:
                lines = _of_members(waiting[1], key, heir, f"\t{what}\t", days(loaded), status_cells)
                portion.append((number, "".join(f"{begin}{line}{end}" for line in lines)))
                waiting = next(members, None)
            else:
                words = status_cells.cells.get(key) if heir is None else None
                status, kind, error = words or status_cells(key, heir)
                text = f"{begin}{what}\t=\t=\t=\t{status}\t{kind}\t{days(loaded)}\t{error}{end}"
                portion.append((number, text))
        yield portion


def _uploads(center_id: int, since: int) -> Select[*tuple[Any, ...]]:
    """What a line is made of, put together by the database as far as it goes: a million rows are many."""
    package = case((Upload.inspection.in_(LOOKED), Upload.member_count), else_=None)
    query = (
        select(
            Upload.id,
            Upload.realm,
            func.coalesce(Upload.received_at, Upload.created_at),
            func.coalesce(File.archived_at, Upload.loaded_at),
            _joined(Upload.name, cast(Upload.size, String), func.coalesce(Upload.md5, "")),
            _key(),
            func.coalesce(Upload.replaced_by, _HEIR.upload_id),
            func.coalesce(Dataset.accession, ""),
            package.label("package"),
        )
        .outerjoin(File, File.upload_id == Upload.id)
        .outerjoin(_HEIR, _HEIR.id == File.replaced_by)
        .outerjoin(Dataset, Dataset.id == File.dataset_id)
        .where(Upload.center_id == center_id, Upload.state != states.RECEIVING)
    )
    if since:
        moments = (
            Upload.created_at,
            Upload.received_at,
            Upload.loaded_at,
            Upload.inspected_at,
            File.updated_at,
            Dataset.updated_at,
        )
        query = query.where(or_(*(moment >= since for moment in moments)))
    return query


Text = ColumnElement[str] | InstrumentedAttribute[str]


def _joined(first: Text, second: Text, *more: Text) -> ColumnElement[str]:
    joined = first + "\t" + second
    for part in more:
        joined = joined + "\t" + part
    return joined


def _key() -> ColumnElement[str]:
    """All that the words of a line depend on."""
    error = case(
        (Upload.state == states.INCOMPLETE, "truncated_file"), else_=func.coalesce(File.error, Upload.error, "")
    )
    digested = case((Upload.md5.is_(None), ""), else_="md5")
    columns = (File.state, Dataset.state, Upload.inspection, Upload.file_type)
    return _joined(Upload.state, Upload.area, digested, error, *(func.coalesce(column, "") for column in columns))


class StatusCells:
    """Cache of the cells file_status, file_type and file_error by what they depend on: few keys, often met."""

    def __init__(self) -> None:
        self.cells: dict[str, tuple[str, str, str]] = {}

    def __call__(self, key: str, heir: int | None, error: str | None = None) -> tuple[str, str, str]:
        whole = key if error is None else f"{key}\t{error}"
        cells = self.cells.get(whole)
        if cells is None:
            state, area, digested, own, file_state, dataset_state, inspection, kind = key.split("\t")
            word = status(
                state,
                area,
                error or own,
                file_state,
                dataset_state,
                is_looked_into=bool(digested) and inspection in LOOKED,
            )
            cells = self.cells[whole] = word, kind, error or own
        return (f"replaced_by_{heir}", *cells[1:]) if heir and cells[0] == "Obsolete" else cells


def _links(center_id: int, first: int, last: int) -> dict[int, str]:
    mine = select(Upload.id).where(Upload.center_id == center_id, Upload.id >= first, Upload.id <= last)
    query = (
        select(
            File.upload_id,
            Component.type,
            Component.accession,
            Component.state,
            Component.status,
            Dataset.state.label("dataset_state"),
        )
        .join(ComponentFile, ComponentFile.file_id == File.id)
        .join(Component, Component.id == ComponentFile.component_id)
        .join(Dataset, Dataset.id == Component.dataset_id)
        .where(
            File.upload_id.in_(mine),
            Component.accession.is_not(None),
            Dataset.accession.is_not(None),
            Component.type.in_(("RUN", "ANALYSIS")),
        )
        .order_by(File.upload_id, Component.id)
    )
    of_upload: dict[int, Links] = {}
    for upload_id, kind, accession, state, own, dataset_state in db.session.execute(query):
        status = status_of(own, dataset_state)
        if status != "withdrawn":
            of_upload.setdefault(upload_id or 0, Links()).add(kind, accession or "", state, status)
    return {upload_id: links.text for upload_id, links in of_upload.items()}


def _members(packages: list[tuple[int, int]]) -> Iterator[tuple[int, list[Row[*tuple[Any, ...]]]]]:
    """The members of packages, given with their count, of as many at a time as have ten thousand together."""
    while packages:
        count, end = 0, 0
        while end < len(packages) and (end == 0 or count + packages[end][1] <= MEMBERS):
            count += packages[end][1]
            end += 1
        part, packages = [number for number, _ in packages[:end]], packages[end:]
        query = (
            select(Member.upload_id, Member.name, Member.size, Member.md5, Member.file_type, Member.error)
            .where(Member.upload_id.in_(part))
            .order_by(Member.upload_id, Member.n)
        )
        members: dict[int, list[Row[*tuple[Any, ...]]]] = {}
        with db.reading():
            for member in db.session.execute(query):
                members.setdefault(member.upload_id, []).append(member)
        yield from sorted(members.items())


def _of_members(
    members: list[Row[*tuple[Any, ...]]],
    key: str,
    heir: int | None,
    package: str,
    loaded: str,
    status_cells: StatusCells,
) -> Iterator[str]:
    """One line a member, without its ends; its own error, else that of its package."""
    for _upload, name, size, md5, kind, error in members:
        word, _, shown = status_cells(key, heir, error)
        yield f"{tsv.cell(name)}\t{size}\t{md5 or ''}{package}{word}\t{kind}\t{loaded}\t{shown}"


def status(state: str, area: str, error: str, file_state: str, dataset_state: str, *, is_looked_into: bool) -> str:
    """The word of file_status. What is archived is loaded, whatever was found odd about it."""
    if state in (states.OBSOLETE, states.EXPIRED) or file_state in states.DEAD_FILES:
        return "Obsolete"
    if state == states.ARCHIVED:
        return "Obsolete" if dataset_state == states.WITHDRAWN else "Loaded"
    if error in ARCHIVE_FAULTS:
        return "Failed"
    if error and not is_hint(error):
        return "Error"
    if state == states.FAILED:
        return "Failed"
    return "Done" if area == "test" and is_looked_into else "Received"
