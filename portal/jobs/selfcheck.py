"""The daily self-check: silent while all is well, one mail a day to each curator when something does not work."""

from sqlalchemy import select

from portal import clock, db, health
from portal.config import settings
from portal.domain import jobs, notices
from portal.domain.jobs import Hold
from portal.health import Finding
from portal.jobs.work import Progress
from portal.models import Account


def run(hold: Hold, progress: Progress) -> None:
    found = health.run()
    faults = [(name, one) for name, findings in found.items() for one in findings if one.level == health.BAD]
    with db.transaction():
        jobs.check_hold(hold)
        if faults:
            _tell(faults)
        jobs.finish(hold)


def _tell(faults: list[tuple[str, Finding]]) -> None:
    today = clock.today(settings().timezone)
    curators = select(Account).where(Account.role == "curator", Account.state == "active")
    for curator in db.session.scalars(curators):
        notices.send(
            f"health:{today}:{curator.id}",
            to=curator.email,
            template="health",
            name=curator.name,
            faults=[(name, one.says, one.remedy) for name, one in faults],
            url="/admin/check",
        )
