"""Upload sessions, the one way in for FTP, browser and API: open() one, give it bytes, finish() it.

finish() returns only when the bytes are on disk, synced and in the database; nobody acknowledges before. The numbered
steps are those of the story of an upload in docs/architecture.md.
"""

import errno
import hmac
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from portal import clock, db, errors, storage
from portal.domain.accounts import quotas
from portal.domain.files import area_paths
from portal.domain.uploads import dataset_place, resuming, uploads
from portal.domain.uploads.uploads import Arrival, Place
from portal.ingest.account_cache import CachedAccount, account_cache
from portal.ingest.file_writer import FileWriter
from portal.ingest.group_commit import group_commit
from portal.ingest.heartbeat import heartbeat
from portal.messages import say
from portal.models import Upload

log = logging.getLogger(__name__)
NOTHING_TO_RESUME = "There are no bytes of {name} to resume; send it from the start."
OFFSET_BEHIND_END = "Only {length:,} bytes of {name} are here; resume at {length}."
NOT_STORED = say("not_stored", "These bytes could not be stored; the fault is ours. Send them again.")


class UploadSession:
    """One upload on its way. `lost` says that another session, or the end of the account, took it away; `done` that it
    was finished or aborted; `recording` that its bytes are durable and go into the database. `epoch` is that of the
    account when it was admitted; more bytes than `allowance` are refused, None where nothing bounds them."""

    def __init__(self, arrival: Arrival, *, epoch: int, allowance: int | None) -> None:
        self.arrival, self.epoch, self.allowance = arrival, epoch, allowance
        self.place, self.account_id, self.token = arrival.place, arrival.account_id, arrival.token
        self.lost = False
        self.done = False
        self.recording = False
        self.heard = self.began = clock.now()
        self._began = time.monotonic()
        self._promised = max(0, (arrival.announced or 0) - arrival.offset)
        path = storage.area_path(self.place.realm, self.account_id, self.token)
        with _disk_faults():
            self._writer = FileWriter(path, offset=arrival.offset if arrival.resumed else None)
        storage.promise(self.place.realm, self._promised)
        heartbeat.add(self)

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def size(self) -> int:
        return self._writer.size

    def progress(self) -> Arrival:
        """How far this is, for the heartbeat."""
        took = time.monotonic() - self._began
        rate = int((self.size - self.arrival.offset) / took) if took > 0 else None
        return replace(self.arrival, size=self.size, rate=rate, heard_at=self.heard, began_at=self.began)

    # 2. Receive.

    def buffer(self) -> memoryview:
        """Where to receive the next bytes (recv_into); tell filled() how many came."""
        self._refuse_lost()
        with _disk_faults():
            return self._writer.buffer()

    def filled(self, count: int) -> None:
        """So many bytes of buffer() are new. Raises QuotaExceeded when they are more than is allowed."""
        self.heard = clock.now()
        with _disk_faults():
            self._writer.filled(count)
        if self.allowance is not None and self.size > self.allowance:
            raise quotas.exceeded(self.place.realm)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes that were read elsewhere. Raises as buffer() and filled() do."""
        view = memoryview(data)
        while view:
            target = self.buffer()
            count = min(len(target), len(view))
            target[:count] = view[:count]
            self.filled(count)
            view = view[count:]

    def rest(self) -> None:
        """The sender pauses; hold no shared buffer meanwhile."""
        self._writer.rest()

    # 3. End, well or not.

    def finish(self, *, md5: str | None = None, sha256: str | None = None) -> Arrival:
        """Durable, recorded, committed: the arrival with its `upload_id`. Raises Incomplete when less came than was
        announced, DigestMismatch when the bytes have another digest than given here; what could not be recorded is kept
        as incomplete or removed."""
        # 3. End: all that was announced is here, and the bytes are still this session's.
        self._refuse_short()
        self._refuse_lost()
        # 4. Make durable: bytes and folder are synced, and their digests known.
        with _disk_faults():
            found_md5, found_sha256, facts = self._writer.close()
        self._compare((md5, found_md5), (sha256, found_sha256))
        # 5. Record: wait until the next group of this process is committed.
        arrival = replace(self.progress(), md5=found_md5, sha256=found_sha256, facts=facts, received_at=clock.now())
        # Bytes that are here already leave no row, and no heartbeat may make one behind them.
        self.recording = True
        recorded = group_commit.receive(arrival)
        self._leave()
        quotas.add(arrival.center_id, self.place.realm, self.size, self.account_id)
        # 6. Acknowledge: the caller may now, and never before.
        return recorded

    def abort(self, reason: str, *, keep: bool = True) -> int:
        """Stop without acknowledging. Bytes stay as `incomplete` with their true length for a later resume; returns it.
        Harmless when the session has ended already."""
        if self.done:
            return 0
        kept = (keep or self.arrival.resumed) and not self.lost
        try:
            length = self._writer.abandon(keep=kept, lost=not kept)
        finally:
            self._leave()
        progress = self.progress()
        if self.lost:
            return 0
        # Another process may have taken the bytes over, and ours not know it yet: only the row says whose they are.
        if not group_commit.record(lambda: uploads.cut(progress, length=length, reason=reason)):
            return 0
        if not length:
            storage.remove(storage.area_path(self.place.realm, self.account_id, self.token))
        return length

    def undo(self, reason: str) -> int:
        """Stop, and take back what this session brought: earlier bytes of a resumed upload stay."""
        self._writer.discard()
        return self.abort(reason)

    def close(self) -> None:
        """Stop because the client went away, as a server closes a file. Keeps what came; raises nothing."""
        try:
            self.abort("The client gave up, or its control connection ended.")
        except Exception:
            log.exception("an upload could not be recorded as incomplete")

    def _refuse_short(self) -> None:
        announced = self.arrival.announced
        if announced is not None and self.size < announced:
            text = "Only {size:,} of {announced:,} bytes came. Resume the upload."
            raise errors.Incomplete(say("fewer_bytes_than_announced", text, size=self.size, announced=announced))

    def _refuse_lost(self) -> None:
        if self.lost:
            text = "Another session took this upload over, or the account was closed."
            raise errors.Fenced(say("upload_taken_over_or_closed", text))

    def _compare(self, *digests: tuple[str | None, str | None]) -> None:
        """Pairs of an announced digest and that of the bytes. What differs is removed, or kept where it was resumed."""
        for announced, received in digests:
            if announced and received and not hmac.compare_digest(announced.lower(), received):
                self.abort("digest", keep=False)
                text = "The digest of what arrived is {received}, not {announced}. Send it again."
                raise errors.DigestMismatch(say("digest_differs", text, received=received, announced=announced))

    def _leave(self) -> None:
        if not self.done:
            self.done = True
            storage.promise(self.place.realm, -self._promised)
            heartbeat.drop(self)


# 1. Admit.


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
    dataset_id: int | None = None,
) -> UploadSession:
    """Admit an upload for a drop box, or with `dataset_id` for that dataset: then its access says in which realm the
    bytes lie. `offset` or `append` resume the newest bytes of that name; without them the bytes are new. `token` names
    the bytes that a resume means.

    Raises BadName, Frozen, QuotaExceeded, DiskFull, GhostSession, Invalid (bad offset) or Busy, each with its sentence.
    """
    # 1. Admit: the path obeys the rules, the disk has room, the account may send, and nothing else holds the name.
    try:
        if dataset_id is not None:
            place = dataset_place.admit(account_id, dataset_id, name, with_companions=via == "ftp")
        else:
            place = Place(area, realm, area_paths.clean(name, is_free=area_paths.free_in(account_id, area, realm)))
        storage.check_room(place.realm, announced or 0)
        account = account_cache.find(account_id)
        arrival = Arrival(place, account_id, account.center_id, storage.token(), 1, via, announced)
        earlier = resuming.find_resumable(account_id, place) if append or offset else None
        if earlier is None:
            if offset and not append:
                raise uploads.bad_offset(say("nothing_to_resume", NOTHING_TO_RESUME, name=place.name))
            allowance = _admit_new(arrival, account)
        else:
            arrival, allowance = _take_up(arrival, account, earlier, offset=None if append else offset, token=token)
            heartbeat.fence(arrival.token)
    finally:
        db.end()
    return UploadSession(arrival, epoch=account.epoch, allowance=allowance)


def _admit_new(arrival: Arrival, account: CachedAccount) -> int | None:
    """New bytes: returns how many are allowed at most, None for any number."""
    place = arrival.place
    uploads.refuse_frozen(arrival.account_id, place)
    if place.dataset_id is None:
        area_paths.refuse_folder(arrival.account_id, place.area, place.realm, place.name)
    allowance = quotas.allowance(account.center, place.realm, arrival.account_id)
    if allowance is not None and (arrival.announced or 0) > allowance:
        raise quotas.exceeded(place.realm)
    return allowance


def _take_up(
    arrival: Arrival, account: CachedAccount, earlier: Upload, *, offset: int | None, token: str | None
) -> tuple[Arrival, int | None]:
    """Go on with earlier bytes of the name, at their end where no offset is given. Returns the arrival under their
    token and a new fence, which shuts out whoever sent before, and how many bytes the file may have."""
    place = replace(arrival.place, realm=earlier.realm)  # where they are, whatever the access has become since
    path = storage.area_path(place.realm, arrival.account_id, earlier.token)
    _refuse_other_bytes(earlier, place, path, token)
    facts = storage.facts(path)
    length = facts.size if facts else 0
    start = length if offset is None else offset
    if start > length:
        raise uploads.bad_offset(say("offset_behind_end", OFFSET_BEHIND_END, length=length, name=place.name))
    upload_id, fence = earlier.id, earlier.fence
    with db.transaction():
        taken = resuming.take_up(upload_id, fence=fence, offset=start, via=arrival.via, name=place.name)
    allowance = quotas.allowance(account.center, place.realm, arrival.account_id)
    resumed = replace(arrival, place=place, token=taken.token, fence=taken.fence, offset=start, resumed=True)
    return resumed, None if allowance is None else allowance + length


def _refuse_other_bytes(earlier: Upload, place: Place, path: Path, token: str | None) -> None:
    """Raises Gone where the name has other bytes than the resume means, Frozen where they have a second name."""
    if token is not None and earlier.token != token:
        text = "Another upload of {name} came meanwhile. Send this one from the start."
        raise errors.Gone(say("another_upload_came", text, name=place.name))
    if storage.is_shared(path):
        text = "{name} shares its bytes with a copy or the archive. Send it from the start instead."
        raise errors.Frozen(say("bytes_shared", text, name=place.name))


@contextmanager
def _disk_faults() -> Iterator[None]:
    """Turn errors of the disk into DiskFull or StorageFault. A failed sync is never tried again on its descriptor."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            text = "The disk of the archive is full; its operator is told. Try again later."
            raise errors.DiskFull(say("disk_full", text)) from error
        raise errors.StorageFault(NOT_STORED) from error
