"""What nobody claims goes after a while, and never unannounced: first a mail, once for all that come to their end
within two weeks, then at least the days that it named."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, TextClause, func, or_, select, update

from portal import clock, db, states
from portal.config import settings
from portal.domain.shared import history, notifications
from portal.domain.uploads import folders
from portal.models import Account, File, Upload
from portal.models.uploads import MAY_EXPIRE

LEAD = 7 * clock.DAY
CLAIMED = select(File.id).where(File.upload_id == Upload.id, File.state.not_in(states.DEAD_FILES)).exists()
UNTOLD = or_(Upload.warned_at.is_(None), Upload.warned_at < Upload.received_at)  # or told before it was resumed
NAMED = 20
UNFINISHED, UNUSED = "unfinished", "unused"


@dataclass(frozen=True)
class Term:
    """How long uploads of some states are kept, and how long before the end their owner is told."""

    kind: str
    states: tuple[str, ...]
    days: int

    @property
    def lead(self) -> int:
        return min(LEAD, self.days * clock.DAY // 2)

    def end(self, received_at: int | None, warned_at: int | None) -> int:
        """When an upload goes, at the earliest: never sooner than the mail said."""
        return max((received_at or 0) + self.days * clock.DAY, (warned_at or 0) + self.lead)


def terms() -> tuple[Term, Term]:
    chosen = settings()
    return (
        Term(UNFINISHED, (states.INCOMPLETE,), chosen.incomplete_days),
        Term(UNUSED, (states.RECEIVED, states.FAILED), chosen.received_days),
    )


def end_of(upload: Upload) -> int | None:
    """When an upload goes if nobody finishes or claims it; None for what does not expire."""
    term = next((term for term in terms() if upload.state in term.states), None)
    return term.end(upload.received_at, upload.warned_at) if term and upload.received_at is not None else None


def _unclaimed(term: Term, before: int) -> list[ColumnElement[bool] | TextClause]:
    """Conditions of the uploads of a term that came before a moment and that no file claims."""
    return [MAY_EXPIRE, Upload.state.in_(term.states), Upload.received_at < before, ~CLAIMED]


def warn() -> int:
    """One mail to each account whose uploads come to their end; it names all that follow within another lead, so that
    the next mail is a week away. Returns how many mails."""
    db.change(update(Upload).where(MAY_EXPIRE, Upload.warned_at.is_not(None), CLAIMED).values(warned_at=None))
    count = 0
    for term in terms():
        now = clock.now()
        due = _unclaimed(term, now + term.lead - term.days * clock.DAY)
        query = select(Upload.account_id).where(*due, UNTOLD).distinct()
        for account_id in list(db.session.scalars(query.order_by(Upload.account_id))):
            account = db.session.get_one(Account, account_id)
            coming: list[ColumnElement[bool] | TextClause] = [
                *_unclaimed(term, now + 2 * term.lead - term.days * clock.DAY),
                UNTOLD,
                Upload.account_id == account_id,
            ]
            _warn(account, term, coming, now)
            count += 1
    return count


def _warn(account: Account, term: Term, coming: list[ColumnElement[bool] | TextClause], now: int) -> None:
    totals = select(func.count(), func.sum(Upload.size), func.min(Upload.received_at), func.max(Upload.id))
    number, size, oldest, newest = db.session.execute(totals.where(*coming)).one()
    listed = select(Upload.name, Upload.size, Upload.received_at).where(*coming)
    some = list(db.session.execute(listed.order_by(Upload.received_at, Upload.id).limit(NAMED)))
    if account.state == "active":
        zone = settings().timezone
        notifications.send(
            f"expires:{term.kind}:{account.id}:{newest}:{oldest}",
            to=account.email,
            template="expires",
            name=account.name,
            kind=term.kind,
            number=number,
            size=size or 0,
            more=number - len(some),
            first=clock.day_of(term.end(oldest, now), zone),
            files=_lines(some, term, now, zone),
            url="/area",
        )
    db.change(update(Upload).where(*coming).values(warned_at=now))
    history.record(
        "warn",
        actor=None,
        center_id=account.center_id,
        after={"account": account.id, "uploads": number, "until": term.end(oldest, now)},
    )


def _lines(rows: Iterable[Row[*tuple[Any, ...]]], term: Term, now: int, zone: str) -> list[dict[str, object]]:
    return [
        {"name": row.name, "size": row.size, "day": clock.day_of(term.end(row.received_at, now), zone)} for row in rows
    ]


def expire(limit: int = 500) -> int:
    """Remove uploads that nobody finished or claimed and whose owner was told in time. Returns how many."""
    count = 0
    for term in terms():
        now = clock.now()
        was_warned = (Upload.warned_at >= Upload.received_at, Upload.warned_at <= now - term.lead)
        query = select(Upload).where(*_unclaimed(term, now - term.days * clock.DAY), *was_warned)
        for row in db.session.scalars(query.order_by(Upload.received_at).limit(limit)):
            folders.drop(row, actor=None, action="expire")
            count += 1
    return count
