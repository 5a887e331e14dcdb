"""Keyset pagination: a page is found through an index however deep it lies, and rows that come meanwhile shift
nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, SQLColumnExpression, tuple_

from portal import db

PAGE = 100


@dataclass(frozen=True)
class Page:
    """One page and the cursors of its neighbours; empty where there is none."""

    rows: list[Any] = field(default_factory=list)
    newer: str = ""
    older: str = ""


def fetch(
    query: Select[*tuple[Any, ...]],
    columns: Sequence[SQLColumnExpression[Any]],
    key: Callable[[Row[*tuple[Any, ...]]], tuple[object, ...]],
    *,
    after: str = "",
    before: str = "",
    descending: bool = True,
    limit: int = PAGE,
    place: Callable[[str], tuple[Any, ...] | None] | None = None,
) -> Page:
    """The rows of a query behind the cursor `after`, or in front of `before`, in the order of the columns. `place`
    finds the values of the columns where a cursor does not spell them."""
    text = before or after
    cursor = place(text) if place else parse(text, len(columns))
    backwards = bool(before) and cursor is not None
    falling = descending != backwards
    if cursor is not None:
        place_of_row = tuple_(*columns)
        query = query.where(place_of_row < cursor if falling else place_of_row > cursor)
    order = [column.desc() if falling else column.asc() for column in columns]
    fetched = list(db.session.execute(query.order_by(*order).limit(limit + 1)).unique())
    more, rows = len(fetched) > limit, fetched[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return Page()
    first, last = write(key(rows[0])), write(key(rows[-1]))
    has_newer = more if backwards else cursor is not None
    has_older = True if backwards else more
    return Page(rows, first if has_newer else "", last if has_older else "")


def write(values: tuple[object, ...]) -> str:
    """The cursor of a row: its key as text, such as 1764547200000-17."""
    return "-".join(str(value) for value in values)


def parse(text: str, count: int) -> tuple[int, ...] | None:
    """The numbers of a cursor; None for anything else, which means the first page."""
    parts = text.split("-") if text else []
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return None
    return tuple(int(part) for part in parts)
