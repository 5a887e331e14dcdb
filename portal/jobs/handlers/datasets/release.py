"""Open an approved dataset when it is asked for or due; what is still missing is owed first, and it comes again."""

from portal import clock, db
from portal.domain.archive import fixity
from portal.domain.datasets import realms, releases
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Again, Progress
from portal.models import Dataset

SOON, LATER = 30_000, 5 * clock.MINUTE


def run(lease: Lease, progress: Progress) -> None:
    progress.check()
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is None or not releases.is_wanted(dataset):
            job_queue.finish(lease)
            return
        blocking = releases.obstacles(dataset)
        if not blocking:
            releases.release(dataset)
            job_queue.finish(lease)
            return
        progressing = _enqueue_missing(dataset)
    raise Again(SOON if progressing else LATER, " ".join(map(str, blocking)))


def _enqueue_missing(dataset: Dataset) -> bool:
    """Enqueue what a job can do about it, except what failed for good: that is run again by people. Each enqueues this
    job again when it is done."""
    owed = {
        "fixity": releases.needs_fixity(dataset),
        "bag": dataset.bag_dirty,
        "move": realms.obstacle(dataset) is not None,
    }
    kinds = {kind for kind, is_owed in owed.items() if is_owed and not job_queue.gave_up(kind, dataset.id)}
    if "fixity" in kinds:
        fixity.enqueue(dataset.id, priority=4)
    if "bag" in kinds:
        job_queue.enqueue("bag", dataset_id=dataset.id, priority=3)
    if "move" in kinds:
        realms.enqueue_move(dataset)
    return bool(kinds)
