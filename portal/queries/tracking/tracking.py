"""Which uploads the tracking table shows, page by page, at the cost of a few thousand index entries whatever there is.

Where few match they are sorted as they are. Where more do, the index of the order is walked: every hundredth
of its entries matches or better, and a page is full soon.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, select

from portal import clock, db
from portal.models import Account, File, Upload
from portal.queries.paging import capped_count, index_scan, keyset
from portal.queries.paging.capped_count import Count
from portal.queries.tracking import upload_filter as asking
from portal.queries.tracking.upload_filter import SORTS, Filter
from portal.queries.uploads import uploads

PIECE = 1000
FEW = capped_count.MOST


@dataclass(frozen=True)
class Survey:
    """How many match, None where counting would cost too much; and where they are few, (key, id) of each in order.
    `beside`: uploads to be merged with what is walked."""

    count: Count | None
    few: list[tuple[Any, int]] | None
    beside: tuple[int, ...] | None = None


def survey(account: Account, asked: Filter) -> Survey:
    if asked.problems and not (asked.text or asked.dataset):
        beside = list(db.session.scalars(asking.whole_but_faulty(account, PIECE)))
        if len(beside) <= PIECE:
            return _problems(account, asked, beside)
    plain = asking.plainly(asked)
    every = select(Upload.id).where(*asking.matching(account, plain))
    found = capped_count.count(every)
    if plain == asked and (found.more or asked.key == "arrived"):
        return Survey(found, None)
    ways = [(found.number + found.more, every)] + [_tried(way) for way in asking.short_ways(account, asked, FEW)]
    number, ids = min(ways, key=lambda way: way[0])
    if number > FEW:
        return Survey(None, None)
    few = _look_up(account, asked, ids)
    return Survey(Count(len(few)), few)


def _tried(way: Select[*tuple[Any, ...]]) -> tuple[int, Any]:
    """How many ids a way gives, and they themselves where they are few."""
    ids = list(db.session.scalars(capped_count.first(way, PIECE)))
    if len(ids) <= PIECE:
        return len(ids), ids
    found = capped_count.count(way, FEW)
    return found.number + found.more, way


def _problems(account: Account, asked: Filter, beside: list[int]) -> Survey:
    """What broke or failed is walked by its states; what only its file finds faulty is little, and merged with it."""
    rows = _look_up(account, asked, beside)
    walked = capped_count.count(select(Upload.id).where(*asking.matching(account, _broken(asked))))
    return Survey(Count(walked.number + len(rows), walked.more), None, tuple(one for _key, one in rows))


def _broken(asked: Filter) -> Filter:
    return replace(asked, problems=False, only=asking.BAD)


def _look_up(account: Account, asked: Filter, ids: Any) -> list[tuple[Any, int]]:
    """Those of some ids that are asked for, in order."""
    conditions = asking.matching(account, asked, alone=False)
    rows = db.session.execute(select(SORTS[asked.key], Upload.id).where(Upload.id.in_(ids), *conditions))
    return sorted(((key, one) for key, one in rows), reverse=asked.falling)


def page(account: Account, asked: Filter, known: Survey, *, after: str = "", before: str = "") -> keyset.Page:
    """A page in the asked order; cursors are ids of uploads."""
    found = ids(account, asked, known, after=after, before=before)
    rows = {row.upload.id: row for row in uploads.rows_of(found.rows)}
    return keyset.Page([rows[one] for one in found.rows if one in rows], found.newer, found.older)


def ids(
    account: Account, asked: Filter, known: Survey, *, after: str = "", before: str = "", limit: int = keyset.PAGE
) -> keyset.Page:
    mark, backwards = index_scan.cursor(after, before)
    falling = asked.falling != backwards
    if known.few is not None:
        found = _slice(known.few, asked, mark, backwards, limit + 1)
    else:
        parts = _stretches(account, asked if known.beside is None else _broken(asked), mark, falling, limit + 1)
        if known.beside is not None:
            parts.append(index_scan.walk(SORTS[asked.key], [Upload.id.in_(known.beside)], mark, falling, limit + 1))
        found = index_scan.merged(parts, falling, limit + 1)
    return index_scan.paged(found, mark, backwards, limit)


def _slice(few: list[tuple[Any, int]], asked: Filter, mark: Upload | None, backwards: bool, limit: int) -> list[int]:
    rows = few[::-1] if backwards else few
    if mark is not None:
        there, falling = (getattr(mark, SORTS[asked.key].key), mark.id), asked.falling != backwards
        rows = [row for row in rows if (row < there if falling else row > there)]
    return [row[1] for row in rows[:limit]]


def _stretches(
    account: Account, asked: Filter, mark: Upload | None, falling: bool, limit: int
) -> list[Select[*tuple[Any, ...]]]:
    if asked.dataset:
        return _by_number(account, asked, mark, falling, limit)
    column, mine = SORTS[asked.key], Upload.account_id == account.id
    rest = asking.matching(account, asked, alone=asked.key == "arrived", span=_span(asked, mark, falling))
    every = [[mine, Upload.state == state, Upload.realm == realm] for state in asked.states for realm in asked.realms]
    if asked.key == "arrived" or _takes_all(account, asked):
        return [index_scan.walk(column, [*stretch, *rest], mark, falling, limit) for stretch in every]
    plain = asking.matching(account, asking.plainly(asked))
    inside = [select(Upload.id).where(*stretch, *plain) for stretch in every]
    counts = db.session.execute(select(*(capped_count.counted(query, PIECE) for query in inside))).one()
    return [
        index_scan.walk(column, [*(stretch if number > PIECE else [Upload.id.in_(query)]), *rest], mark, falling, limit)
        for stretch, query, number in zip(every, inside, counts, strict=True)
        if number
    ]


def _takes_all(account: Account, asked: Filter) -> bool:
    """Whether neither the type nor the days leave anything out: a walk meets what it looks for at once."""
    begin, end = asked.span
    return not asked.file_type and begin <= (oldest(account) or 0) and end > clock.now()


def _span(asked: Filter, mark: Upload | None, falling: bool) -> tuple[int, int]:
    """What is left of the period behind a mark: an index is entered there, not at its end."""
    begin, end = asked.span
    if mark is None or asked.key != "arrived":
        return begin, end
    return (begin, min(end, mark.created_at + 1)) if falling else (max(begin, mark.created_at), end)


def _by_number(
    account: Account, asked: Filter, mark: Upload | None, falling: bool, limit: int
) -> list[Select[*tuple[Any, ...]]]:
    """The files of a large dataset in the order of their numbers."""
    conditions, parts = asking.matching(account, asked, alone=False), []
    number = mark and db.session.scalar(select(File.n).where(File.upload_id == mark.id))
    for state in asked.file_states:
        query = select(Upload.id.label("id"), File.n.label("key")).join(File, File.upload_id == Upload.id)
        query = query.where(File.dataset_id == asked.dataset, File.state == state, *conditions)
        if number:
            query = query.where(File.n < number if falling else File.n > number)
        parts.append(index_scan.part(query.order_by(File.n.desc() if falling else File.n).limit(limit)))
    return parts


def oldest(account: Account) -> int | None:
    """When the account's first upload came."""
    query = select(Upload.created_at).where(Upload.account_id == account.id).order_by(Upload.id).limit(1)
    return db.session.scalar(query)
