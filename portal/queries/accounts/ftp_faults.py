"""What the FTP server saw go wrong: the faults of an account, and those of nobody known from where its owner is."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select

from portal import clock, db
from portal.domain.accounts import ftp_faults
from portal.models import Account, WireFault

DAYS = 30
MOST = 500


@dataclass(frozen=True)
class Seen:
    """All faults of one kind; `says` is the newest one's."""

    kind: str
    title: str
    says: str
    how: str
    times: int
    last_at: int
    address: str


def seen(account: Account | None, address: str = "") -> list[Seen]:
    """The kind that was last seen first."""
    query = select(WireFault).where(_theirs(account, address)).order_by(WireFault.at.desc(), WireFault.id.desc())
    kinds: dict[str, list[WireFault]] = {}
    for fault in db.session.scalars(query.limit(MOST)):
        kinds.setdefault(fault.kind, []).append(fault)
    return [_of(faults) for faults in kinds.values()]


def newest(account: Account | None, address: str = "") -> int:
    """Changes whenever seen() would."""
    return db.session.scalar(select(func.max(WireFault.id)).where(_theirs(account, address))) or 0


def _theirs(account: Account | None, address: str) -> ColumnElement[bool]:
    lately = WireFault.at > clock.now() - DAYS * clock.DAY
    from_here = and_(WireFault.account_id.is_(None), WireFault.address == address)
    return and_(lately, or_(WireFault.account_id == account.id, from_here) if account else from_here)


def _of(faults: list[WireFault]) -> Seen:
    """What an unknown somebody typed as a user name is not repeated to whoever shares their address."""
    last = faults[0]
    kind = ftp_faults.KINDS.get(last.kind, ftp_faults.Kind(last.kind, "", ""))
    says = ftp_faults.explain(last)
    if last.account_id is None and last.kind == "wrong_password":
        says = "Somebody at your address tried to sign in with a user name that is not known here."
    return Seen(last.kind, kind.title, says, kind.how, len(faults), last.at, last.address)
