"""Rows whose names contain some words, by a trigram index; rows newer than the index are looked through."""

from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from portal import db
from portal.models import TextMark


def ids(
    index: str,
    key: InstrumentedAttribute[int],
    whose: SQLColumnExpression[int | None],
    owner: int,
    words: list[str],
    bears: list[ColumnElement[bool]],
) -> Select[*tuple[Any, ...]] | None:
    """A query of the ids of an owner's rows that have all of the words, and of perhaps a few more. `bears`: the
    conditions that say so. None where there is no such index, or the words are too short for it."""
    indexed = db.text_ids(index, words, owner=owner)
    if indexed is None:
        return None
    upto = db.session.scalar(select(TextMark.upto).where(TextMark.name == index)) or 0
    later = select(key.label("id")).where(key > upto, func.coalesce(whose, 0) == owner, *bears)
    return select(union_all(indexed, later).subquery().c.id)


def few(query: Select[*tuple[Any, ...]] | None, most: int = 1000) -> list[int] | None:
    """The ids that ids() selects; None where they are more than `most` or there is no query."""
    matches = list(db.session.scalars(query.limit(most + 1))) if query is not None else []
    return None if query is None or len(matches) > most else matches
