"""Open an approved dataset when it is asked for or due; what is still missing is owed first, and it comes again."""

from portal import clock, db
from portal.domain.archive import fixity
from portal.domain.datasets import realms, releases
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Hold
from portal.jobs.handlers.handler import Again, Progress
from portal.models import Dataset

SOON, LATER = 30_000, 5 * clock.MINUTE


def run(hold: Hold, progress: Progress) -> None:
    progress.check()
    with db.transaction():
        job_queue.check_hold(hold)
        dataset = db.session.get(Dataset, hold.dataset_id)
        if dataset is None or not releases.is_wanted(dataset):
            job_queue.finish(hold)
            return
        blocking = releases.obstacles(dataset)
        if not blocking:
            releases.release(dataset)
            job_queue.finish(hold)
            return
        owed = _owe_missing(dataset)
    raise Again(SOON if owed else LATER, " ".join(blocking))


def _owe_missing(dataset: Dataset) -> bool:
    """Owe what a job can do about it; both ring for this job when they are done."""
    reading, writing = releases.needs_fixity(dataset), dataset.bag_dirty
    if reading:
        fixity.owe(dataset.id, priority=4)
    if writing:
        job_queue.owe("bag", dataset_id=dataset.id, priority=3)
    moving = realms.obstacle(dataset)
    if moving:
        realms.enqueue_move(dataset)
    return bool(reading or writing or moving)
