"""A page of uploads out of several index scans: each is in order and stops after a page; merged they are one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from portal import db
from portal.models import Upload
from portal.queries.paging import keyset


def part(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """A query of (id, key) that keeps its own order and limit inside a union."""
    inner = query.subquery()
    return select(inner.c.id, inner.c.key)


def scan(
    column: InstrumentedAttribute[Any],
    where: Sequence[ColumnElement[bool] | TextClause],
    mark: Upload | None,
    falling: bool,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    """Uploads in the order of a column, behind `mark` where there is one."""
    query = select(Upload.id.label("id"), column.label("key")).where(*where)
    if mark is not None:
        row, bound = tuple_(column, Upload.id), tuple_(getattr(mark, column.key), mark.id)
        query = query.where(row < bound if falling else row > bound)
    order = (column.desc(), Upload.id.desc()) if falling else (column, Upload.id)
    return part(query.order_by(*order).limit(limit))


def merged(scans: list[Select[*tuple[Any, ...]]], falling: bool, limit: int) -> list[int]:
    """Upload ids of several scans in one order."""
    every = union_all(*scans).subquery()
    key, upload_id = every.c.key, every.c.id
    order = (key.desc(), upload_id.desc()) if falling else (key, upload_id)
    return list(db.session.scalars(select(upload_id).order_by(*order).limit(limit)))


def cursor(after: str, before: str) -> tuple[Upload | None, bool]:
    """The upload that a cursor names, and whether the page lies in front of it."""
    numbers = keyset.parse(before or after, 1)
    mark = db.session.get(Upload, numbers[0]) if numbers else None
    return mark, bool(before) and mark is not None


def paged(ids: list[int], mark: Upload | None, backwards: bool, limit: int) -> keyset.Page:
    """Ids (one more than `limit` where another page follows) as a page with its cursors."""
    more, rows = len(ids) > limit, ids[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return keyset.Page()
    has_newer, has_older = (more, True) if backwards else (mark is not None, more)
    return keyset.Page(rows, str(rows[0]) if has_newer else "", str(rows[-1]) if has_older else "")
