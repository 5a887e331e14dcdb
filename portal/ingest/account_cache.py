"""Who sends, remembered for two seconds: a client that sends thousands of small files is looked up once."""

import threading
import time
from dataclasses import dataclass

from portal.config import settings
from portal.domain.accounts.quotas import Limits
from portal.domain.uploads import uploads

_KEEP = 2.0


@dataclass(frozen=True)
class CachedAccount:
    """What admitting an upload needs of an account; `epoch` rises when its sessions are to end."""

    center_id: int
    epoch: int
    center: Limits


class AccountCache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cached: dict[tuple[str, int], tuple[float, CachedAccount]] = {}

    def find(self, account_id: int) -> CachedAccount:
        """The account's center, epoch and quotas. Raises SignInNeeded when it is closed."""
        key = (settings().database, account_id)
        with self._lock:
            cached = self._cached.get(key)
        if cached and cached[0] > time.monotonic():
            return cached[1]
        account = uploads.sender(account_id)
        center = account.center
        sender = CachedAccount(center.id, account.epoch, Limits(center.id, center.quota_open, center.quota_protected))
        with self._lock:
            self._cached[key] = (time.monotonic() + _KEEP, sender)
        return sender


account_cache = AccountCache()
