"""How much a center may keep in its areas of one realm. Sums are read at most every ten seconds per process."""

import threading
import time
from dataclasses import dataclass

from sqlalchemy import func, select

from portal import db, errors, states
from portal.config import settings
from portal.models import Center, Upload

_KEEP = 10.0
_lock = threading.Lock()
_used: dict[tuple[str, int, str], tuple[float, int]] = {}


def used(center_id: int, realm: str) -> int:
    """Bytes of a center that lie in its areas of a realm, archived ones left out."""
    key = (str(settings().database), center_id, realm)
    with _lock:
        known = _used.get(key)
    if known and known[0] > time.monotonic():
        return known[1]
    query = select(func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.center_id == center_id, Upload.realm == realm, Upload.state.in_((states.RECEIVING, *states.LISTED))
    )
    total = int(db.session.scalar(query) or 0)
    with _lock:
        _used[key] = (time.monotonic() + _KEEP, total)
    return total


def add(center_id: int, realm: str, size: int) -> None:
    """Count bytes that came since the last sum."""
    key = (str(settings().database), center_id, realm)
    with _lock:
        if known := _used.get(key):
            _used[key] = (known[0], known[1] + size)


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


def allowance(center: Center | Limits, realm: str) -> int | None:
    """Bytes a center may still send. Raises QuotaExceeded when nothing is left."""
    most = limit(center, realm)
    if most is None:
        return None
    left = most - used(center.id, realm)
    if left <= 0:
        raise exceeded(realm)
    return left


def exceeded(realm: str) -> errors.QuotaExceeded:
    return errors.QuotaExceeded(
        f"The quota of your center for the {realm} realm is used up. Remove uploads you do not need, "
        f"or ask {settings().contact} for more.", topic="quota")  # fmt: skip
