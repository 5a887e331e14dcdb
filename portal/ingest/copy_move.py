"""Copies, and moves from realm to realm: bytes get a second name on disk first, and only then the catalogue says so. A
hard link where the disk can, else a verified copy."""

from dataclasses import dataclass, replace
from pathlib import Path

from portal import clock, db, errors, states, storage
from portal.domain.accounts import quotas
from portal.domain.files import area_paths
from portal.domain.uploads import folders, receive
from portal.domain.uploads.uploads import Arrival, Place, sender
from portal.messages import say
from portal.models import Account, Upload

BATCH = 500


@dataclass(frozen=True)
class _Copy:
    """An upload, where its bytes lie, and where those of its copy will."""

    arrival: Arrival
    source: Path
    target: Path


def copy(account_id: int, old: Place, new: Place) -> int:
    """Copy an upload, or all of a folder, to another name. Copies count for the quota as if they had been sent. Returns
    how many; raises NotFound, BadName, Conflict, Frozen, NotReady or QuotaExceeded."""
    try:
        account = sender(account_id)
        rows = folders.at_or_below(account, old, to_read=True)
        _refuse_unfinished(rows)
        copies = [_plan(row, target) for row, target in folders.targets(account, rows, old, _clean(new))]
        _check_room(account, new.realm, sum(row.size for row in rows))
        center_id = account.center_id
    finally:
        db.end()
    for start in range(0, len(copies), BATCH):
        some = copies[start : start + BATCH]
        with _Laid([(copied.source, copied.target) for copied in some]):
            _record(some)
    quotas.add(center_id, new.realm, sum(copied.arrival.size for copied in copies), account_id)
    return len(copies)


def _record(copies: list[_Copy]) -> None:
    """A copy is recorded as what it is: bytes that arrived, under a name that a file may wait for."""
    arrivals = [
        replace(copied.arrival, facts=facts, received_at=clock.now())
        for copied in copies
        if (facts := storage.facts(copied.target)) is not None
    ]
    with db.transaction():
        for arrival, recorded in zip(arrivals, receive.receive_new(arrivals), strict=True):
            if recorded is None:
                receive.receive_known(arrival)


def move(account_id: int, old: Place, new: Place, *, replacing: bool = False) -> int:
    """Another name for an upload, or all of a folder, in any area and realm. Raises as folders.move() does."""
    new = _clean(new)
    if new.realm == old.realm:
        with db.transaction():
            return folders.move(sender(account_id), old, new, replacing=replacing)
    try:
        account = sender(account_id)
        rows = folders.at_or_below(account, old)
        _check_room(account, new.realm, sum(row.size for row in rows))
        paths = [(folders.bytes_of(row), storage.area_path(new.realm, account_id, row.token)) for row in rows]
    finally:
        db.end()
    with _Laid(paths), db.transaction():
        count = folders.move(sender(account_id), old, new, replacing=replacing)
    for source, _target in paths:
        storage.remove(source)
    return count


def _clean(place: Place) -> Place:
    return Place(place.area, place.realm, area_paths.clean(place.name))


def _refuse_unfinished(rows: list[Upload]) -> None:
    for row in rows:
        if row.state == states.CHECKING:
            raise errors.Frozen(say("upload_being_archived", "{name} is on its way into the archive.", name=row.name))
        if row.state == states.INCOMPLETE:
            raise errors.NotReady(
                say("source_not_whole", "{name} has not arrived whole. Resume or remove it first.", name=row.name)
            )


def _check_room(account: Account, realm: str, size: int) -> None:
    storage.check_room(realm)
    left = quotas.allowance(account.center, realm, account.id)
    if left is not None and size > left:
        raise quotas.exceeded(realm)


def _plan(row: Upload, target: Place) -> _Copy:
    token, now = storage.token(), clock.now()
    arrival = Arrival(
        target,
        row.account_id,
        row.center_id,
        token,
        1,
        "copy",
        announced=row.size,
        size=row.size,
        heard_at=now,
        began_at=now,
        resumed=row.resumed,
        md5=row.md5,
        sha256=row.sha256,
    )
    return _Copy(arrival, folders.bytes_of(row), storage.area_path(target.realm, row.account_id, token))


class _Laid:
    """Second names of bytes, durable on entry; taken back unless what was done with them succeeds."""

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        self.pairs, self.made = pairs, list[Path]()

    def __enter__(self) -> None:
        try:
            for source, target in self.pairs:
                storage.link_beside(source, target)
                self.made.append(target)
            for folder in {path.parent for path in self.made}:
                storage.sync_dir(folder)
        except BaseException as error:
            self._take_back()
            if isinstance(error, FileNotFoundError):
                raise errors.Conflict(
                    say("source_removed", "Something was removed meanwhile. Nothing was changed; try again.")
                ) from error
            raise

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if kind is not None:
            self._take_back()

    def _take_back(self) -> None:
        for path in self.made:
            storage.remove(path)
