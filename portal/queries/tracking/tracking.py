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

MOST_IDS = 1000
FEW = capped_count.MOST


@dataclass(frozen=True)
class Survey:
    """How many match, None where counting would cost too much; and where they are few, (key, id) of each in order.
    `beside`: uploads to be merged with what is walked."""

    count: Count | None
    few: list[tuple[Any, int]] | None
    beside: tuple[int, ...] | None = None


def survey(account: Account, criteria: Filter) -> Survey:
    if criteria.problems and not (criteria.text or criteria.dataset):
        beside = list(db.session.scalars(asking.whole_but_faulty(account, MOST_IDS)))
        if len(beside) <= MOST_IDS:
            return _problems(account, criteria, beside)
    plain = asking.plainly(criteria)
    every = select(Upload.id).where(*asking.matching(account, plain))
    total = capped_count.count(every)
    if plain == criteria and (total.more or criteria.key == "arrived"):
        return Survey(total, None)
    ways = [(total.number + total.more, every)] + [_tried(way) for way in asking.short_ways(account, criteria, FEW)]
    number, ids = min(ways, key=lambda way: way[0])
    if number > FEW:
        return Survey(None, None)
    few = _look_up(account, criteria, ids)
    return Survey(Count(len(few)), few)


def _tried(way: Select[*tuple[Any, ...]]) -> tuple[int, list[int] | Select[*tuple[Any, ...]]]:
    """How many ids a way gives, and they themselves where they are few."""
    ids = list(db.session.scalars(capped_count.first(way, MOST_IDS)))
    if len(ids) <= MOST_IDS:
        return len(ids), ids
    count = capped_count.count(way, FEW)
    return count.number + count.more, way


def _problems(account: Account, criteria: Filter, beside: list[int]) -> Survey:
    """What broke or failed is walked by its states; what only its file finds faulty is little, and merged with it."""
    rows = _look_up(account, criteria, beside)
    walked = capped_count.count(select(Upload.id).where(*asking.matching(account, _broken(criteria))))
    return Survey(Count(walked.number + len(rows), walked.more), None, tuple(upload_id for _key, upload_id in rows))


def _broken(criteria: Filter) -> Filter:
    return replace(criteria, problems=False, only=asking.BAD)


def _look_up(account: Account, criteria: Filter, ids: list[int] | Select[*tuple[Any, ...]]) -> list[tuple[Any, int]]:
    """Those of some ids that are asked for, in order."""
    conditions = asking.matching(account, criteria, alone=False)
    rows = db.session.execute(select(SORTS[criteria.key], Upload.id).where(Upload.id.in_(ids), *conditions))
    return sorted(((key, upload_id) for key, upload_id in rows), reverse=criteria.falling)


def page(account: Account, criteria: Filter, surveyed: Survey, *, after: str = "", before: str = "") -> keyset.Page:
    """A page in the asked order; cursors are ids of uploads."""
    page_ids = ids(account, criteria, surveyed, after=after, before=before)
    rows = {row.upload.id: row for row in uploads.rows_of(page_ids.rows)}
    return keyset.Page(
        [rows[upload_id] for upload_id in page_ids.rows if upload_id in rows], page_ids.newer, page_ids.older
    )


def ids(
    account: Account, criteria: Filter, surveyed: Survey, *, after: str = "", before: str = "", limit: int = keyset.PAGE
) -> keyset.Page:
    mark, backwards = index_scan.cursor(after, before)
    falling = criteria.falling != backwards
    if surveyed.few is not None:
        rows = _slice(surveyed.few, criteria, mark, backwards, limit + 1)
    else:
        parts = _stretches(
            account, criteria if surveyed.beside is None else _broken(criteria), mark, falling, limit + 1
        )
        if surveyed.beside is not None:
            parts.append(
                index_scan.scan(SORTS[criteria.key], [Upload.id.in_(surveyed.beside)], mark, falling, limit + 1)
            )
        rows = index_scan.merged(parts, falling, limit + 1)
    return index_scan.paged(rows, mark, backwards, limit)


def _slice(few: list[tuple[Any, int]], criteria: Filter, mark: Upload | None, backwards: bool, limit: int) -> list[int]:
    rows = few[::-1] if backwards else few
    if mark is not None:
        there, falling = (getattr(mark, SORTS[criteria.key].key), mark.id), criteria.falling != backwards
        rows = [row for row in rows if (row < there if falling else row > there)]
    return [row[1] for row in rows[:limit]]


def _stretches(
    account: Account, criteria: Filter, mark: Upload | None, falling: bool, limit: int
) -> list[Select[*tuple[Any, ...]]]:
    if criteria.dataset:
        return _by_number(account, criteria, mark, falling, limit)
    column, mine = SORTS[criteria.key], Upload.account_id == account.id
    rest = asking.matching(account, criteria, alone=criteria.key == "arrived", span=_span(criteria, mark, falling))
    every = [
        [mine, Upload.state == state, Upload.realm == realm] for state in criteria.states for realm in criteria.realms
    ]
    if criteria.key == "arrived" or _takes_all(account, criteria):
        return [index_scan.scan(column, [*stretch, *rest], mark, falling, limit) for stretch in every]
    plain = asking.matching(account, asking.plainly(criteria))
    inside = [select(Upload.id).where(*stretch, *plain) for stretch in every]
    counts = db.session.execute(select(*(capped_count.counted(query, MOST_IDS) for query in inside))).one()
    return [
        index_scan.scan(
            column, [*(stretch if number > MOST_IDS else [Upload.id.in_(query)]), *rest], mark, falling, limit
        )
        for stretch, query, number in zip(every, inside, counts, strict=True)
        if number
    ]


def _takes_all(account: Account, criteria: Filter) -> bool:
    """Whether neither the type nor the days leave anything out: a walk meets what it looks for at once."""
    begin, end = criteria.span
    return not criteria.file_type and begin <= (oldest(account) or 0) and end > clock.now()


def _span(criteria: Filter, mark: Upload | None, falling: bool) -> tuple[int, int]:
    """What is left of the period behind a mark: an index is entered there, not at its end."""
    begin, end = criteria.span
    if mark is None or criteria.key != "arrived":
        return begin, end
    return (begin, min(end, mark.created_at + 1)) if falling else (max(begin, mark.created_at), end)


def _by_number(
    account: Account, criteria: Filter, mark: Upload | None, falling: bool, limit: int
) -> list[Select[*tuple[Any, ...]]]:
    """The files of a large dataset in the order of their numbers."""
    conditions, parts = asking.matching(account, criteria, alone=False), []
    number = mark and db.session.scalar(select(File.n).where(File.upload_id == mark.id))
    for state in criteria.file_states:
        query = select(Upload.id.label("id"), File.n.label("key")).join(File, File.upload_id == Upload.id)
        query = query.where(File.dataset_id == criteria.dataset, File.state == state, *conditions)
        if number:
            query = query.where(File.n < number if falling else File.n > number)
        parts.append(index_scan.part(query.order_by(File.n.desc() if falling else File.n).limit(limit)))
    return parts


def oldest(account: Account) -> int | None:
    """When the account's first upload came."""
    query = select(Upload.created_at).where(Upload.account_id == account.id).order_by(Upload.id).limit(1)
    return db.session.scalar(query)
