"""Faults of FTP connections by kind: those of an account, and those before a sign-in from the same address."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select

from portal import clock, db
from portal.domain.accounts import ftp_faults
from portal.models import Account, WireFault

DAYS = 30
MOST = 500


@dataclass(frozen=True)
class Summary:
    """All faults of one kind within 30 days; `says` explains the newest."""

    kind: str
    title: str
    says: str
    how: str
    times: int
    last_at: int
    address: str


def summaries(account: Account | None, address: str = "") -> list[Summary]:
    """The faults by kind, the kind of the newest fault first."""
    query = select(WireFault).where(_theirs(account, address)).order_by(WireFault.at.desc(), WireFault.id.desc())
    kinds: dict[str, list[WireFault]] = {}
    for fault in db.session.scalars(query.limit(MOST)):
        kinds.setdefault(fault.kind, []).append(fault)
    return [_summary(faults) for faults in kinds.values()]


def newest(account: Account | None, address: str = "") -> int:
    """The id of the newest fault: it changes whenever summaries() would."""
    return db.session.scalar(select(func.max(WireFault.id)).where(_theirs(account, address))) or 0


def _theirs(account: Account | None, address: str) -> ColumnElement[bool]:
    lately = WireFault.at > clock.now() - DAYS * clock.DAY
    from_here = and_(WireFault.account_id.is_(None), WireFault.address == address)
    return and_(lately, or_(WireFault.account_id == account.id, from_here) if account else from_here)


def _summary(faults: list[WireFault]) -> Summary:
    """What was typed as an unknown user name is not repeated to whoever shares the address."""
    last = faults[0]
    kind = ftp_faults.KINDS.get(last.kind, ftp_faults.Kind(last.kind, "", ""))
    says = ftp_faults.explain(last)
    if last.account_id is None and last.kind == "wrong_password":
        says = "Somebody at your address tried to sign in with a user name that is not known here."
    return Summary(last.kind, kind.title, says, kind.how, len(faults), last.at, last.address)
