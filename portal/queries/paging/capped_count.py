"""Capped counts: "more than 10,000" costs as little in a million rows as in twenty thousand."""

from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, Select, func, select

from portal import db

MOST = 10_000


class Count(NamedTuple):
    """A number of rows; `more` when there are more than that."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.more else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0


def first(query: Select[*tuple[Any, ...]], most: int = MOST) -> Select[*tuple[Any, ...]]:
    """A query that gives one row more than are counted, in no order."""
    return query.order_by(None).limit(most + 1)


def counted(query: Select[*tuple[Any, ...]], most: int = MOST) -> ScalarSelect[int]:
    """How many rows a query gives, as part of another: at most one more than `most`."""
    return select(func.count()).select_from(first(query, most).subquery()).scalar_subquery()


def count(query: Select[*tuple[Any, ...]], most: int = MOST) -> Count:
    """How many rows a query gives, counted up to `most`."""
    number = int(db.session.scalar(select(counted(query, most))) or 0)
    return Count(min(number, most), number > most)
