"""Look into what arrived: small uploads together, a large one by a job of its own. The archive never waits for it."""

import errno
import logging
import os
import time

from portal import db, errors, inspection, storage
from portal.domain.files import inspection_results
from portal.domain.files.inspection_results import MEMBERS_AT_ONCE, Result, Target
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.faults import point
from portal.inspection import Report
from portal.jobs.handlers.handler import Again, Progress, Stopped

log = logging.getLogger(__name__)
TURN = 5.0
COMES_AGAIN = 1_500


def survey(lease: Lease, progress: Progress) -> None:
    """Look into all that is small and new, and come again a little later as long as something was."""
    began, busy = time.monotonic(), _enqueue_large(lease)
    while targets := _small():
        busy = True
        _together(lease, targets, progress)
        if time.monotonic() - began > TURN:
            raise Again(0)
    if busy:
        raise Again(COMES_AGAIN)
    with db.transaction():
        job_queue.finish(lease)


def give_up_survey(_lease: Lease, _error: str) -> None:
    """One of the next ones ends its worker each time: each by itself, so that the others come through."""
    inspection_results.enqueue([target.id for target in inspection_results.small()])


def run(lease: Lease, progress: Progress) -> None:
    """Look into one upload."""
    with db.reading():
        target = inspection_results.target(lease.upload_id or 0)
    if target is not None:
        progress.expect(target.size)
        # 7. Inspect: what is found is told, and never in the way.
        result = examine(target, progress)
        _write_members(lease, result)
    with db.transaction():
        job_queue.check_lease(lease)
        if target is not None:
            inspection_results.record([result])
            point("inspect.recorded")
        job_queue.finish(lease)


def give_up(lease: Lease, _error: str) -> None:
    inspection_results.give_up(lease.upload_id or 0)


def _enqueue_large(lease: Lease) -> bool:
    with db.reading():
        waiting = inspection_results.large()
    if waiting:
        with db.transaction():
            job_queue.check_lease(lease)
            inspection_results.enqueue(waiting)
    return bool(waiting)


def _small() -> list[Target]:
    with db.reading():
        return inspection_results.small()


def _together(lease: Lease, targets: list[Target], progress: Progress) -> None:
    results, refused = [], []
    for target in targets:
        try:
            results.append(examine(target, progress))
        except OSError as error:
            log.warning("upload %s could not be read: %s", target.id, error)
            refused.append(target.id)
        progress.next()
    for result in results:
        _write_members(lease, result)
    with db.transaction():
        job_queue.check_lease(lease)
        inspection_results.record(results)
        inspection_results.enqueue(refused)
        point("inspect.recorded")


def examine(target: Target, progress: Progress) -> Result:
    """Read one through. Raises OSError when the disk refuses."""
    handle, archived = _open(target)
    if handle is None:
        return Result(target, Report("UNKNOWN", "upload_file_not_found"))
    try:
        before = os.fstat(handle)
        report = _look(handle, target, progress)
        recorded = storage.facts_of(before) if archived else target.facts
        return _compare(target, report, recorded, os.fstat(handle))
    finally:
        os.close(handle)


def _open(target: Target) -> tuple[int | None, bool]:
    """The bytes in the area, or in the archive where they went meanwhile (True): there they may be a copy, which has a
    number and date of its own."""
    handle = _try(storage.area_path(target.realm, target.account_id, target.token))
    if handle is not None:
        return handle, False
    with db.reading():
        path = inspection_results.archived_at(target.id)
    return _try(path), True


def _try(path: storage.StrPath | None) -> int | None:
    try:
        return storage.open_read(path) if path else None
    except errors.StorageFault:
        return None
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            raise
        return None


def _look(handle: int, target: Target, progress: Progress) -> Report:
    try:
        return inspection.inspect(handle, name=target.name, size=target.size, progress=progress)
    except (OSError, Stopped):
        raise
    except Exception:
        log.exception("upload %s could not be looked into", target.id)
        return Report("UNKNOWN", unchecked="We could not look into it; the fault is ours.")


def _compare(target: Target, report: Report, recorded: storage.Facts, after: os.stat_result) -> Result:
    """Whether the bytes stayed what was recorded while they were read."""
    if after.st_size != target.size:
        return Result(target, Report(report.file_type, "size_changed_during_copy"))
    if storage.facts_of(after) != recorded:
        return Result(target, Report(report.file_type, "file_changed_during_copy"))
    return Result(target, report, gone=after.st_nlink == 0)


def _write_members(lease: Lease, result: Result) -> None:
    """Many members in several short transactions; a few are written with the result, which is the last word."""
    members, upload_id = result.report.members, result.target.id
    if len(members) <= inspection_results.FEW_MEMBERS:
        return
    for start in range(0, len(members), MEMBERS_AT_ONCE):
        with db.transaction():
            job_queue.check_lease(lease)
            if start == 0:
                inspection_results.clear_members(upload_id)
            inspection_results.add_members(upload_id, members[start : start + MEMBERS_AT_ONCE], first=start + 1)
        point("inspect.members")
