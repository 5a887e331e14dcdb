"""Who may download what of controlled data now, asked at every request; and what was downloaded under a grant."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, case, select

from portal import clock, db, states
from portal.models import Account, Counter, Dataset, File, Request, RequestFile

PUBLIC = (states.RELEASED, states.SUPPRESSED)
CLOCK = "clock"


def latest_moment() -> int:
    """The latest moment that was ever seen: a clock that is set back does not revive what has ended."""
    return max(clock.now(), db.session.scalar(select(Counter.next).where(Counter.name == CLOCK)) or 0)


def _live(closing: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a grant that is open now, of a dataset that is released and controlled, to a living account."""
    return (
        Request.state == states.GRANTED,
        Request.from_at <= clock.now(),
        Request.until_at > closing,
        Dataset.id == Request.dataset_id,
        Dataset.state.in_(PUBLIC),
        Dataset.access == "controlled",
        Account.id == Request.account_id,
        Account.state == "active",
    )


@dataclass(frozen=True)
class Grant:
    """A grant that is open now. `numbers` are those of its files; None: the whole dataset."""

    id: int
    dataset_id: int
    until_at: int
    numbers: frozenset[int] | None = None


def find(dataset_id: int, account_id: int) -> Grant | None:
    """The open grant of an account for a dataset."""
    query = select(Request.id, Request.dataset_id, Request.until_at, Request.whole).where(
        *_live(latest_moment()), Request.dataset_id == dataset_id, Request.account_id == account_id
    )
    row = db.session.execute(query).first()
    if row is None:
        return None
    return Grant(row.id, row.dataset_id, row.until_at or 0, None if row.whole else numbers(row.id))


def numbers(request_id: int) -> frozenset[int]:
    """The numbers of the files to which a grant is bound."""
    query = select(File.n).join(RequestFile, RequestFile.file_id == File.id)
    return frozenset(db.session.scalars(query.where(RequestFile.request_id == request_id)))


def granted_to(account_id: int) -> list[Row[*tuple[Any, ...]]]:
    """The datasets open to an account by grant now. `bound` is the request where only chosen files are granted."""
    bound = case((Request.whole, None), else_=Request.id).label("bound")
    columns = (Dataset.id, Dataset.accession, Dataset.realm, Dataset.released_at, Request.id.label("request_id"), bound)
    query = select(*columns).where(*_live(latest_moment()), Request.account_id == account_id)
    return list(db.session.execute(query.order_by(Dataset.accession)))


def open_now(ids: set[int]) -> set[int]:
    """Which of these grants are still open."""
    return (
        set(db.session.scalars(select(Request.id).where(*_live(latest_moment()), Request.id.in_(ids))))
        if ids
        else set()
    )
