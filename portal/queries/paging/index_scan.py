"""A page out of several stretches of indexes: each is walked in its order and stops after a page; merged they are
one."""

from typing import Any

from sqlalchemy import Select, select, tuple_, union_all

from portal import db
from portal.models import Upload
from portal.queries.paging import keyset


def part(query: Select) -> Select:
    """A query of (id, key) that keeps its own order and limit inside a union."""
    inner = query.subquery()
    return select(inner.c.id, inner.c.key)


def walk(column: Any, where: list, mark: Upload | None, falling: bool, limit: int) -> Select:
    """Uploads in the order of a column, behind `mark` where there is one."""
    query = select(Upload.id.label("id"), column.label("key")).where(*where)
    if mark is not None:
        here, there = tuple_(column, Upload.id), tuple_(getattr(mark, column.key), mark.id)
        query = query.where(here < there if falling else here > there)
    order = (column.desc(), Upload.id.desc()) if falling else (column, Upload.id)
    return part(query.order_by(*order).limit(limit))


def merged(walks: list[Select], falling: bool, limit: int) -> list[int]:
    every = union_all(*walks).subquery()
    key, one = every.c.key, every.c.id
    order = (key.desc(), one.desc()) if falling else (key, one)
    return list(db.session.scalars(select(one).order_by(*order).limit(limit)))


def cursor(after: str, before: str) -> tuple[Upload | None, bool]:
    """The upload that a cursor names, and whether the page lies in front of it."""
    found = keyset.parse(before or after, 1)
    mark = db.session.get(Upload, found[0]) if found else None
    return mark, bool(before) and mark is not None


def paged(found: list[int], mark: Upload | None, backwards: bool, limit: int) -> keyset.Page:
    """Ids found, one more than a page where there is more, as a page with its cursors."""
    more, rows = len(found) > limit, found[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return keyset.Page()
    has_newer, has_older = (more, True) if backwards else (mark is not None, more)
    return keyset.Page(rows, str(rows[0]) if has_newer else "", str(rows[-1]) if has_older else "")
