"""How much a center, and each of its accounts, may keep in their areas of one realm. Sums are read at
most every ten seconds per process."""

import threading
import time
from dataclasses import dataclass

from sqlalchemy import func, select

from portal import db, errors
from portal.config import settings
from portal.messages import say
from portal.models import Center, Upload
from portal.models.uploads import HERE

_KEEP = 10.0
_lock = threading.Lock()
_used: dict[tuple[str, int, str, int | None], tuple[float, int]] = {}


def used(center_id: int, realm: str, account_id: int | None = None) -> int:
    """Bytes of a center, or of one of its accounts, that lie in its areas of a realm, archived ones left out."""
    key = (str(settings().database), center_id, realm, account_id)
    with _lock:
        cached = _used.get(key)
    if cached and cached[0] > time.monotonic():
        return cached[1]
    query = select(func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.center_id == center_id, Upload.realm == realm, HERE
    )
    total = int(db.session.scalar(query if account_id is None else query.where(Upload.account_id == account_id)) or 0)
    with _lock:
        _used[key] = (time.monotonic() + _KEEP, total)
    return total


def add(center_id: int, realm: str, size: int, account_id: int | None = None) -> None:
    """Add bytes that came (or, negative, went) to the cached sums."""
    for whose in {None, account_id}:
        key = (str(settings().database), center_id, realm, whose)
        with _lock:
            if cached := _used.get(key):
                _used[key] = (cached[0], max(0, cached[1] + size))


def forget() -> None:
    """Drop the cached sums of this process."""
    with _lock:
        _used.clear()


@dataclass(frozen=True)
class Limits:
    """The quotas of a center, as of the moment it was looked up."""

    id: int
    quota_open: int | None
    quota_protected: int | None


def limit(center: Center | Limits, realm: str) -> int | None:
    """The quota in bytes, None when there is none."""
    own = getattr(center, f"quota_{realm}")
    chosen = own if own is not None else settings().quota_gib << 30
    return chosen or None


def account_limit() -> int | None:
    """The quota of each account in each realm, None when there is none."""
    return settings().account_quota_gib << 30 or None


def left(center: Center | Limits, realm: str, account_id: int | None = None) -> int | None:
    """Bytes a center, or one account of it, may still send; None where there is no quota."""
    bounds: list[tuple[int | None, int | None]] = [(limit(center, realm), None)]
    if account_id is not None:
        bounds.append((account_limit(), account_id))
    free = [max(0, most - used(center.id, realm, whose)) for most, whose in bounds if most is not None]
    return min(free, default=None)


def allowance(center: Center | Limits, realm: str, account_id: int | None = None) -> int | None:
    """The bytes left. Raises QuotaExceeded when nothing is."""
    size = left(center, realm, account_id)
    if size == 0:
        raise exceeded(realm)
    return size


def exceeded(realm: str) -> errors.QuotaExceeded:
    """The error of a send that no longer fits, with whom to ask for more."""
    return errors.QuotaExceeded(
        say(
            "quota_used_up",
            "Your quota, or that of your center, for the {realm} realm is used up. Remove uploads you do not need, "
            "or ask {contact} for more.",
            realm=realm,
            contact=settings().contact,
        ),
        topic="quota",
    )
