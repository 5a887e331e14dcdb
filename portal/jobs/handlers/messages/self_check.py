"""The daily self-check: silent while all is well, one mail a day to each curator when something does not work."""

from sqlalchemy import select

from portal import clock, db
from portal.config import settings
from portal.domain.shared import job_queue, notifications
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Progress
from portal.maintenance import self_check
from portal.maintenance.self_check import Finding
from portal.models import Account


def run(lease: Lease, progress: Progress) -> None:
    sections = self_check.run()
    faults = [
        (name, finding)
        for name, findings in sections.items()
        for finding in findings
        if finding.level == self_check.BAD
    ]
    with db.transaction():
        job_queue.check_lease(lease)
        if faults:
            _tell(faults)
        job_queue.finish(lease)


def _tell(faults: list[tuple[str, Finding]]) -> None:
    today = clock.today(settings().timezone)
    curators = select(Account).where(Account.role == "curator", Account.state == "active")
    for curator in db.session.scalars(curators):
        notifications.send(
            f"health:{today}:{curator.id}",
            to=curator.email,
            template="health",
            name=curator.name,
            faults=[(name, finding.says, finding.remedy) for name, finding in faults],
            url="/admin/check",
        )
