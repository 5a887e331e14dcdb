"""The one verb behind FTP, browser and API: open a reception, give it bytes, finish it.

finish() returns only when the bytes are on disk, synced and in the database; nobody acknowledges before.
"""

import errno
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from portal import clock, db, errors, storage
from portal.domain.accounts import quotas
from portal.domain.files import area_paths
from portal.domain.uploads import receive, uploads
from portal.domain.uploads.receive import Receipt
from portal.domain.uploads.uploads import Place, Standing
from portal.ingest.account_cache import senders
from portal.ingest.file_writer import Intake
from portal.ingest.group_commit import recorder
from portal.ingest.heartbeat import pulse


@dataclass(frozen=True)
class Plan:
    """Where an upload goes, as open() admitted it."""

    place: Place
    account_id: int
    center_id: int
    epoch: int
    token: str
    fence: int
    via: str
    announced: int | None
    offset: int | None
    allowance: int | None


class Reception:
    """One upload on its way. `lost` says that another session, or the end of the account, took it away."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.account_id, self.epoch, self.token = plan.account_id, plan.epoch, plan.token
        self.lost = False
        self.done = False
        self.heard = self.began = clock.now()
        self._began = time.monotonic()
        self._promised = max(0, (plan.announced or 0) - (plan.offset or 0))
        path = storage.area_path(plan.place.realm, plan.account_id, plan.token)
        with _disk_words():
            self._intake = Intake(path, offset=plan.offset)
        storage.promise(plan.place.realm, self._promised)
        pulse.add(self)

    @property
    def size(self) -> int:
        return self._intake.size

    def standing(self) -> Standing:
        """How far this is, for the pulse."""
        plan = self.plan
        took = time.monotonic() - self._began
        rate = int((self.size - (plan.offset or 0)) / took) if took > 0 else None
        return Standing(
            plan.place,
            plan.account_id,
            plan.center_id,
            plan.token,
            plan.fence,
            plan.via,
            plan.announced,
            self.size,
            rate,
            self.heard,
            self.began,
        )

    def buffer(self) -> memoryview:
        """Where to receive the next bytes (recv_into); tell filled() how many came."""
        if self.lost:
            raise errors.Fenced("Another session took this upload over, or the account was closed.")
        with _disk_words():
            return self._intake.buffer()

    def filled(self, count: int) -> None:
        self.heard = clock.now()
        with _disk_words():
            self._intake.filled(count)
        if self.plan.allowance is not None and self.size > self.plan.allowance:
            raise quotas.exceeded(self.plan.place.realm)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while view:
            target = self.buffer()
            count = min(len(target), len(view))
            target[:count] = view[:count]
            self.filled(count)
            view = view[count:]

    def rest(self) -> None:
        """The sender pauses; hold no shared buffer meanwhile."""
        self._intake.rest()

    def finish(self, *, md5: str | None = None, sha256: str | None = None) -> Receipt:
        """Durable, recorded, committed. Raises Incomplete when less came than announced, DigestMismatch when the bytes
        have another digest than given here; what could not be recorded is kept as incomplete or removed."""
        plan = self.plan
        if plan.announced is not None and self.size < plan.announced:
            raise errors.Incomplete(f"Only {self.size:,} of {plan.announced:,} bytes came. Resume the upload.")
        if self.lost:
            raise errors.Fenced("Another session took this upload over, or the account was closed.")
        with _disk_words():
            got_md5, got_sha256, facts = self._intake.close()
        for asked, got in ((md5, got_md5), (sha256, got_sha256)):
            if asked and got and not hmac.compare_digest(asked.lower(), got):
                self.abort("digest", keep=False)
                raise errors.DigestMismatch(f"The digest of what arrived is {got}, not {asked}. Send it again.")
        arrival = receive.Arrival(self.standing(), got_md5, got_sha256, facts, plan.offset is not None, clock.now())
        receipt = recorder.receive(arrival)
        self._leave()
        quotas.add(plan.center_id, plan.place.realm, self.size, plan.account_id)
        return receipt

    def abort(self, reason: str, *, keep: bool = True) -> int:
        """Stop without acknowledging. Bytes stay as `incomplete` with their true length for a later resume; returns it.
        Harmless when the reception has ended already."""
        if self.done:
            return 0
        kept = (keep or self.plan.offset is not None) and not self.lost
        try:
            length = self._intake.abandon(keep=kept, lost=not kept)
        finally:
            self._leave()
        standing = self.standing()
        if self.lost:
            return 0
        # Another process may have taken the bytes over, and ours not know it yet: only the row says whose they are.
        if not recorder.record(lambda: uploads.cut(standing, length=length, reason=reason)):
            return 0
        if not length:
            storage.remove(storage.area_path(self.plan.place.realm, self.account_id, self.token))
        return length

    def undo(self, reason: str) -> int:
        """Stop, and take back what this session brought: earlier bytes of a resumed upload stay."""
        self._intake.spoil()
        return self.abort(reason)

    def _leave(self) -> None:
        if not self.done:
            self.done = True
            storage.promise(self.plan.place.realm, -self._promised)
            pulse.drop(self)


def open(
    account_id: int,
    *,
    realm: str,
    name: str,
    via: str,
    area: str = "incoming",
    announced: int | None = None,
    offset: int | None = None,
    append: bool = False,
    token: str | None = None,
) -> Reception:
    """Admit an upload. `offset` or `append` resume the newest bytes of that name; without them the bytes are new.
    `token` names the bytes that a resume means.

    Raises BadName, Frozen, QuotaExceeded, DiskFull, GhostSession, Invalid (bad offset) or Busy, each with its sentence.
    """
    place = Place(area, realm, area_paths.clean(name))
    storage.check_room(realm, announced or 0)
    try:
        if append or offset:
            plan = _resume(account_id, place, via, announced, offset, append, token)
            pulse.fence(plan.token)
        else:
            plan = _begin(account_id, place, via, announced)
    finally:
        db.end()
    return Reception(plan)


def _begin(account_id: int, place: Place, via: str, announced: int | None) -> Plan:
    account = senders.find(account_id)
    uploads.refuse_frozen(account_id, place)
    area_paths.refuse_folder(account_id, place.area, place.realm, place.name)
    allowance = quotas.allowance(account.center, place.realm, account_id)
    if allowance is not None and (announced or 0) > allowance:
        raise quotas.exceeded(place.realm)
    return Plan(
        place, account_id, account.center_id, account.epoch, storage.token(), 1, via, announced, None, allowance
    )


def _resume(
    account_id: int, place: Place, via: str, announced: int | None, offset: int | None, append: bool, token: str | None
) -> Plan:
    account = senders.find(account_id)
    allowance = quotas.allowance(account.center, place.realm, account_id)
    found = uploads.find_resumable(account_id, place)
    if found is None:
        if append:
            return _begin(account_id, place, via, announced)
        raise uploads.bad_offset(f"There are no bytes of {place.name} to resume; send it from the start.")
    if token is not None and found.token != token:
        raise errors.Gone(f"Another upload of {place.name} came meanwhile. Send this one from the start.")
    path = storage.area_path(place.realm, account_id, found.token)
    if storage.is_shared(path):
        raise errors.Frozen(
            f"{place.name} shares its bytes with a copy or the archive. Send it from the start instead."
        )
    facts = storage.facts(path)
    length = facts.size if facts else 0
    start = length if append else int(offset or 0)
    if start > length:
        raise uploads.bad_offset(f"Only {length:,} bytes of {place.name} are here; resume at {length}.")
    upload_id, fence = found.id, found.fence
    with db.transaction():
        taken = uploads.take_up(upload_id, fence=fence, offset=start, via=via)
    if allowance is not None:
        allowance += length
    return Plan(
        place, account_id, account.center_id, account.epoch, taken.token, taken.fence, via, announced, start, allowance
    )


@contextmanager
def _disk_words() -> Iterator[None]:
    """Errors of the disk in the words of the domain. A failed sync is never tried again on the same descriptor."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise errors.DiskFull("The disk of the archive is full; its operator is told. Try again later.") from error
        raise errors.StorageFault("These bytes could not be stored; the fault is ours. Send them again.") from error
