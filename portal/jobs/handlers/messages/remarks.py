"""Remarks that were gathered for a while leave in one mail; what went out meanwhile with a turn is not sent again."""

from portal import db
from portal.domain.datasets import remarks
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Progress
from portal.models import Dataset


def run(lease: Lease, progress: Progress) -> None:
    progress.check()
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, lease.dataset_id)
        if dataset is not None:
            remarks.mail(dataset)
        job_queue.finish(lease)
