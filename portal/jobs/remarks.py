"""Remarks that were gathered for a while leave in one mail; what went out meanwhile with a turn is not sent again."""

from portal import db
from portal.domain import jobs, remarks
from portal.domain.jobs import Hold
from portal.jobs.work import Progress
from portal.models import Dataset


def run(hold: Hold, progress: Progress) -> None:
    progress.check()
    with db.transaction():
        jobs.check_hold(hold)
        dataset = db.session.get(Dataset, hold.dataset_id)
        if dataset is not None:
            remarks.mail(dataset)
        jobs.finish(hold)
