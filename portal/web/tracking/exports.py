"""What the filter shows, all of it, as TSV or XLSX. The columns bear the words of the SRA handbook."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from flask import Response
from sqlalchemy import Row, select

from portal import db, states
from portal.domain.reports import files as report
from portal.models import Account, Component, Dataset, File, Upload
from portal.queries.paging import keyset
from portal.queries.tracking import submissions, tracking
from portal.queries.tracking.upload_filter import Filter
from portal.web import permissions
from portal.web.api.documents import moment
from portal.web.tracking.blueprint import bp, given_filter
from portal.web.tracking.spreadsheet import answer
from portal.web.tracking.submissions import mine, parts, rows

FILE_HEAD = [
    "realm",
    "upload_id",
    "upload_date",
    "file_name",
    "file_size",
    "file_md5sum",
    "file_status",
    "file_type",
    "load_date",
    "file_error",
    "submissions",
    "comments",
]
SUBMISSION_HEAD = [
    "accession",
    "title",
    "state",
    "status",
    "visibility",
    "components_loaded",
    "components_unlinked",
    "components_error",
    "files_declared",
    "files_loaded",
    "files_faulty",
    "files_missing",
    "updated",
    "comments",
]
COMPONENT_HEAD = [
    "accession",
    "submission",
    "type",
    "alias",
    "title",
    "status",
    "state",
    "updated",
    "md5sum",
    "comments",
]
_COLUMNS = (
    Upload.id,
    Upload.realm,
    Upload.received_at,
    Upload.name,
    Upload.size,
    Upload.md5,
    Upload.state,
    Upload.replaced_by,
    Upload.area,
    Upload.file_type,
    Upload.loaded_at,
    Upload.error,
    Upload.detail,
    File.state.label("file_state"),
    File.error.label("file_error"),
    File.comment,
    File.archived_at,
    Upload.inspection,
    Dataset.accession,
    Dataset.state.label("dataset_state"),
)
PAGE_ROWS = 1000
Line = TypeVar("Line")


@bp.get('/files.<any("tsv", "xlsx"):kind>')
@permissions.signed_in
def export_files(kind: str) -> Response:
    me = permissions.account()
    criteria = given_filter(me)
    return answer(_file_rows(me, criteria), f"files-{criteria.first}-{criteria.last}", kind)


def _file_rows(account: Account, criteria: Filter) -> Iterator[Sequence[object]]:
    """Each piece in a read of its own, so that a long download holds up nothing."""
    yield FILE_HEAD
    surveyed, after = tracking.survey(account, criteria), ""
    while True:
        page = tracking.ids(account, criteria, surveyed, after=after, limit=PAGE_ROWS)
        query = (
            select(*_COLUMNS)
            .outerjoin(File, File.upload_id == Upload.id)
            .outerjoin(Dataset, Dataset.id == File.dataset_id)
            .where(Upload.id.in_(page.rows))
        )
        known_rows = {row.id: row for row in db.session.execute(query)}
        yield from (_file_row(known_rows[upload_id]) for upload_id in page.rows if upload_id in known_rows)
        db.end()
        after = page.older
        if not after:
            return


def _file_row(row: Row[*tuple[Any, ...]]) -> list[object]:
    error = "truncated_file" if row.state == states.INCOMPLETE else row.file_error or row.error or ""
    return [
        row.realm.capitalize(),
        row.id,
        moment(row.received_at) or "",
        row.name,
        row.size,
        row.md5 or "",
        file_status(row, error),
        row.file_type or "",
        moment(row.archived_at or row.loaded_at) or "",
        error,
        row.accession or "",
        row.comment or row.detail or "",
    ]


def file_status(row: Row[*tuple[Any, ...]], error: str) -> str:
    """The word of the files report."""
    word = report.status(
        row.state,
        row.area,
        error,
        row.file_state or "",
        row.dataset_state or "",
        is_looked_into=row.md5 is not None and row.inspection in report.LOOKED,
    )
    return f"replaced_by_{row.replaced_by}" if row.replaced_by and word == "Obsolete" else word


@bp.get('/<any("submissions", "published", "attention"):tab>.<any("tsv", "xlsx"):kind>')
@permissions.signed_in
def export_submissions(tab: str, kind: str) -> Response:
    me = permissions.account()
    pages = _pages(lambda after: rows(me, tab, limit=PAGE_ROWS, after=after))
    return answer(_with_head(SUBMISSION_HEAD, pages, _submission_row), tab, kind)


def _submission_row(row: submissions.Row) -> list[object]:
    dataset, files, parts = row.dataset, row.tally.files, row.tally.components
    comment = row.fault.comment if row.fault else row.remark.note if row.remark else ""
    return [
        dataset.accession or "",
        dataset.title,
        row.shown.word,
        states.STATUS[dataset.state],
        "controlled" if dataset.access == "controlled" else "public",
        parts.get(states.LOADED, 0),
        parts.get(states.RECEIVED, 0),
        parts.get(states.ERROR, 0),
        row.tally.declared,
        files.get("archived", 0),
        files.get("fault", 0),
        files.get("waiting", 0),
        moment(dataset.updated_at),
        comment,
    ]


@bp.get('/<ref>/components.<any("tsv", "xlsx"):kind>')
@permissions.signed_in
def export_components(ref: str, kind: str) -> Response:
    dataset = mine(ref)
    pages = _pages(lambda after: parts(dataset, limit=PAGE_ROWS, after=after))
    name = f"{dataset.accession or f'draft-{dataset.id}'}-components"
    return answer(_with_head(COMPONENT_HEAD, pages, lambda component: _component_row(component, dataset)), name, kind)


def _component_row(component: Component, dataset: Dataset) -> list[object]:
    return [
        component.accession or "",
        dataset.accession or "",
        component.type,
        component.alias,
        component.title,
        component.status or states.STATUS[dataset.state],
        states.SHOWN_COMPONENT[component.state].word,
        moment(component.updated_at),
        component.md5 or "",
        component.comment,
    ]


def _pages(fetch: Callable[[str], keyset.Page]) -> Iterator[Any]:
    after = ""
    while True:
        rows = fetch(after)
        yield from rows.rows
        db.end()
        after = rows.older
        if not after:
            return


def _with_head(
    head: list[str], pages: Iterator[Line], line: Callable[[Line], Sequence[object]]
) -> Iterator[Sequence[object]]:
    yield head
    yield from map(line, pages)
