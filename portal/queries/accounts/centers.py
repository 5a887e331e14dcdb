"""Reads for the centers of a site: who belongs to each, what it deposited, and how much of its quota is used."""

from dataclasses import dataclass

from sqlalchemy import func, select

from portal import db
from portal.domain.accounts import quota_requests, quotas
from portal.domain.accounts.centers import REALMS
from portal.models import Account, Center, Dataset, Event, Upload
from portal.models.uploads import HERE
from portal.queries.paging import keyset

NEARLY = 0.8


@dataclass(frozen=True)
class Use:
    """Bytes in the areas of a center in one realm, and its quota (None: no bound); `own`: not the site's default."""

    realm: str
    used: int
    quota: int | None
    own: bool

    @property
    def is_short(self) -> bool:
        return self.quota is not None and self.used >= NEARLY * self.quota


@dataclass(frozen=True)
class Row:
    """A center with the number of its accounts and datasets, and its use of each realm."""

    center: Center
    people: int
    datasets: int
    uses: tuple[Use, ...]

    @property
    def is_short(self) -> bool:
        return any(use.is_short for use in self.uses)


def page(*, text: str = "", after: str = "", before: str = "", limit: int = keyset.PAGE) -> keyset.Page:
    """A page of centers whose names contain all words of `text`, the newest first."""
    query = select(Center)
    for word in text.split()[:8]:
        query = query.where(func.lower(Center.name).contains(word.lower(), autoescape=True))
    fetched = keyset.fetch(query, (Center.id,), lambda row: (row[0].id,), after=after, before=before, limit=limit)
    return keyset.Page(rows([row[0] for row in fetched.rows]), fetched.newer, fetched.older)


def row(center: Center) -> Row:
    """The row of one center."""
    return rows([center])[0]


def rows(centers: list[Center]) -> list[Row]:
    """The rows of these centers; three statements, whatever their number."""
    ids = [center.id for center in centers]
    people, datasets = _numbers(Account, ids), _numbers(Dataset, ids)
    sums = _sums(ids)
    return [
        Row(center, people.get(center.id, 0), datasets.get(center.id, 0), _uses(center, sums)) for center in centers
    ]


def _uses(center: Center, sums: dict[tuple[int, str], int]) -> tuple[Use, ...]:
    return tuple(
        Use(
            realm,
            sums.get((center.id, realm), 0),
            quotas.limit(center, realm),
            getattr(center, f"quota_{realm}") is not None,
        )
        for realm in REALMS
    )


def _numbers(model: type[Account] | type[Dataset], ids: list[int]) -> dict[int, int]:
    query = select(model.center_id, func.count()).where(model.center_id.in_(ids)).group_by(model.center_id)
    return {center_id: number for center_id, number in db.session.execute(query)}


def _sums(ids: list[int]) -> dict[tuple[int, str], int]:
    query = (
        select(Upload.center_id, Upload.realm, func.sum(Upload.size))
        .where(Upload.center_id.in_(ids), HERE)
        .group_by(Upload.center_id, Upload.realm)
    )
    return {(center_id, realm): int(size or 0) for center_id, realm, size in db.session.execute(query)}


def short(limit: int = 20) -> list[Row]:
    """Centers with uploads here that have nearly used up a quota, at most 20."""
    total = func.sum(Upload.size)
    query = select(Upload.center_id).where(HERE).group_by(Upload.center_id).order_by(total.desc())
    ids = list(db.session.scalars(query.limit(200)))
    fullest = list(db.session.scalars(select(Center).where(Center.id.in_(ids))))
    return [row for row in rows(fullest) if row.is_short][:limit]


def asking(limit: int = 20) -> list[Center]:
    """Centers whose request for a larger quota is unanswered, the newest request first."""
    query = (
        select(Event.center_id).where(Event.action == quota_requests.REQUEST).order_by(Event.id.desc()).limit(5 * limit)
    )
    ids = dict.fromkeys(center_id for center_id in db.session.scalars(query) if center_id is not None)
    centers = [db.session.get(Center, center_id) for center_id in ids if quota_requests.open_request(center_id)]
    return [center for center in centers if center is not None][:limit]
