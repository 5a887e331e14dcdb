"""Read the archived files of a dataset and compare. What differs is read five times from the disk itself before it
counts as damaged. Gives way after a minute: more urgent reading comes first."""

import errno
import time
from collections.abc import Callable

from portal import db, errors, states, storage
from portal.domain.archive import fixity
from portal.domain.archive.fixity import BAD, OK, UNKNOWN, Target
from portal.domain.datasets import releases
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Again, Progress
from portal.models import Dataset

TURN = 60.0
TRIES, PAUSE = 5, 1.0
MOVERS, PAUSE_MOVING = frozenset({"move"}), 7_000
GROUP, GROUP_BYTES = 200, 1 << 30


def run(lease: Lease, progress: Progress) -> None:
    began = time.monotonic()
    while targets := _next(lease):
        if job_queue.is_held(lease.dataset_id or 0, MOVERS):
            raise Again(PAUSE_MOVING, "The files are being moved; they are read after that.")
        progress.expect(progress.done + sum(target.size for target in targets))
        for group in _groups(targets):
            verdicts = judge(group, progress)
            _record(lease, verdicts)
            if time.monotonic() - began > TURN:
                raise Again(0)
        if all(verdict == UNKNOWN for _target, verdict, _why in verdicts):
            break
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is not None and releases.is_wanted(dataset):
            job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
        job_queue.finish(lease)


def _next(lease: Lease) -> list[Target]:
    with db.reading():
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is None or dataset.state == states.WITHDRAWN or not dataset.accession:
            return []
        return fixity.targets(dataset)


def _groups(targets: list[Target]) -> list[list[Target]]:
    """What is recorded together: few transactions for small files, and soon for large ones."""
    groups: list[list[Target]] = [[]]
    size = 0
    for target in targets:
        if groups[-1] and (len(groups[-1]) >= GROUP or size + target.size > GROUP_BYTES):
            groups.append([])
            size = 0
        groups[-1].append(target)
        size += target.size
    return groups


def _record(lease: Lease, verdicts: list[tuple[Target, str, str]]) -> None:
    with db.transaction():
        job_queue.check_lease(lease)
        fixity.record(db.session.get_one(Dataset, lease.dataset_id), verdicts)
    db.end()


def judge(group: list[Target], progress: Progress) -> list[tuple[Target, str, str]]:
    """The verdict on each file and why. One good reading makes a file good. It is bad when it differed, or was missing,
    each time; a disk that once did not answer leaves it unknown."""
    damaged: dict[int, tuple[Target, str, str]] = {}
    left = group
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE)
        for target in left:
            verdict, why = read(target, progress=progress, again=attempt > 0)
            if attempt == 0:
                progress.next()
            if verdict == OK or attempt == 0 or damaged[target.file_id][1] != UNKNOWN:
                damaged[target.file_id] = (target, verdict, why)
        left = [target for target in left if damaged[target.file_id][1] != OK]
        if not left:
            break
    return [damaged[target.file_id] for target in group]


def read(target: Target, *, progress: Progress, again: bool = False) -> tuple[str, str]:
    """What one reading says. `again` asks the disk anew, and not the memory of the first answer."""
    try:
        if again:
            storage.forget_pages(target.path)
        md5, sha256, size = storage.digest(target.path, progress=_heard(progress) if again else progress)
    except FileNotFoundError:
        return BAD, "The file is missing."
    except errors.StorageFault as error:
        return BAD, error.sentence
    except OSError as error:
        return UNKNOWN, f"It could not be read: {error.strerror or errno.errorcode.get(error.errno or 0, 'error')}."
    return _compare(target, md5, sha256, size)


def _heard(progress: Progress) -> Callable[[int], None]:
    """A second reading is no progress, but ends when the worker ends."""
    return lambda _done: progress.check()


def _compare(target: Target, md5: str, sha256: str, size: int) -> tuple[str, str]:
    if size != target.size:
        return BAD, f"It has {size:,} bytes instead of {target.size:,}."
    if sha256 != target.sha256 or md5 != target.md5:
        return BAD, f"Its SHA-256 is {sha256} instead of {target.sha256}."
    return OK, ""


def read_all(dataset: Dataset, tell: Callable[[Target, str, str], None]) -> dict[str, int]:
    """Read a whole dataset now, for the command; returns how many files got which verdict."""
    counts = {OK: 0, BAD: 0, UNKNOWN: 0}
    dataset_id = dataset.id
    for group in _groups(fixity.targets(dataset, all_of_it=True)):
        verdicts = judge(group, Progress())
        with db.transaction():
            fixity.record(db.session.get_one(Dataset, dataset_id), verdicts)
        for target, verdict, why in verdicts:
            counts[verdict] += 1
            tell(target, verdict, why)
    return counts
