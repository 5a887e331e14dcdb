"""What bears some words in its name, by an index of letters; what came since that was filled is looked through."""

from typing import Any

from sqlalchemy import Select, func, select, union_all

from portal import db
from portal.models import TextMark


def ids(index: str, key: Any, whose: Any, owner: int, words: list[str], bears: list[Any]) -> Select | None:
    """A query of the ids of an owner's rows that have all of the words, and of perhaps a few more. `bears`: the
    conditions that say so. None where there is no such index, or the words are too short for it."""
    known = db.text_ids(index, words, owner=owner)
    if known is None:
        return None
    upto = db.session.scalar(select(TextMark.upto).where(TextMark.name == index)) or 0
    later = select(key.label("id")).where(key > upto, func.coalesce(whose, 0) == owner, *bears)
    return select(union_all(known, later).subquery().c.id)


def few(query: Select | None, most: int = 1000) -> list[int] | None:
    """The ids themselves, None where they are more than a few or nobody knows them."""
    found = list(db.session.scalars(query.limit(most + 1))) if query is not None else []
    return None if query is None or len(found) > most else found
