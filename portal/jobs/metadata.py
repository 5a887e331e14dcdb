"""Components follow their dataset: how they stand is said anew after files were archived, removed or released."""

from portal import db
from portal.domain import components, jobs
from portal.domain.jobs import Hold
from portal.jobs.work import Progress
from portal.models import Dataset


def follow(hold: Hold, _progress: Progress) -> None:
    with db.transaction():
        jobs.check_hold(hold)
        dataset = db.session.get(Dataset, hold.dataset_id)
        if dataset is not None:
            components.settle(dataset)
        jobs.finish(hold)
