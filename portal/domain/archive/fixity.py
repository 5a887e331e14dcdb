"""Is every archived byte still what it was? Planned so that all is read within the days of the settings, and what was
just archived within a day. The verdict is ok, bad or unknown (the disk did not answer)."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Select, func, or_, select, update

from portal import clock, db, states, storage
from portal.config import settings
from portal.domain.datasets import releases
from portal.domain.shared import history, job_queue, notifications
from portal.models import Account, Dataset, File

OK, BAD, UNKNOWN = "ok", "bad", "unknown"
FRESH_MS = 6 * clock.DAY
AT_ONCE = 100
NEAR = timedelta(days=2)


@dataclass(frozen=True)
class Target:
    """One archived file to be read."""

    file_id: int
    path: Path
    size: int
    md5: str
    sha256: str


def plan() -> None:
    """Owe the reading of what was never read, then of what is oldest; and of what opens within two days."""
    oldest = clock.now() - max(1, settings().fixity_days - 1) * clock.DAY
    age = func.min(func.coalesce(File.fixity_at, 0))
    query = (
        select(File.dataset_id)
        .where(
            File.state == states.ARCHIVED,
            File.archive_path.is_not(None),
            or_(File.fixity_at.is_(None), File.fixity_at < oldest),
        )
        .group_by(File.dataset_id)
        .order_by(age, File.dataset_id)
        .limit(AT_ONCE)
    )
    for dataset_id in db.session.scalars(query):
        if not job_queue.gave_up("fixity", dataset_id):
            enqueue(dataset_id)
    for dataset in db.session.scalars(_opening()):
        if releases.needs_fixity(dataset) and not job_queue.gave_up("fixity", dataset.id):
            enqueue(dataset.id, priority=6)


def _opening() -> Select[Dataset]:
    """Query of the datasets that open soon."""
    near = (clock.today(settings().timezone) + NEAR).isoformat()
    return select(Dataset).where(Dataset.state == states.APPROVED, Dataset.release_date <= near)


def enqueue(dataset_id: int, *, priority: int = 9) -> None:
    """One job reads one dataset; a more urgent asking moves it forward."""
    job = job_queue.enqueue("fixity", dataset_id=dataset_id, priority=priority)
    job.priority = min(job.priority, priority)


def targets(dataset: Dataset, *, all_of_it: bool = False, limit: int = 1000) -> list[Target]:
    """The next archived files to read: those not found good within six days, oldest first."""
    stale = or_(File.fixity.is_(None), File.fixity == UNKNOWN, File.fixity_at < clock.now() - FRESH_MS)
    query = select(File.id, File.archive_path, File.size, File.md5, File.sha256).where(
        File.dataset_id == dataset.id, File.state == states.ARCHIVED, File.archive_path.is_not(None)
    )
    if not all_of_it:
        query = query.where(stale).order_by(File.fixity_at, File.n).limit(limit)
    assert dataset.accession
    return [
        Target(
            row.id,
            storage.archived_path(dataset.realm, dataset.accession, row.archive_path),
            row.size,
            row.md5,
            row.sha256,
        )
        for row in db.session.execute(query)
    ]


def record(dataset: Dataset, verdicts: list[tuple[Target, str, str]]) -> None:
    """Write down what was found; a file that turned bad or good again is told in the history, bad ones by mail."""
    now = clock.now()
    for target, verdict, why in verdicts:
        before = db.session.scalar(select(File.fixity).where(File.id == target.file_id))
        here = update(File).where(
            File.id == target.file_id, File.state == states.ARCHIVED, File.sha256 == target.sha256
        )
        if (
            db.change(here.values(fixity=verdict, fixity_at=now)) == 1
            and BAD in (before, verdict)
            and before != verdict
        ):
            _tell(dataset, db.session.get_one(File, target.file_id), before, verdict, why)


def _tell(dataset: Dataset, file: File, before: str | None, verdict: str, why: str) -> None:
    history.record(
        "fixity", actor=None, dataset=dataset, file=file, before={"fixity": before}, after={"fixity": verdict}, note=why
    )
    if verdict != BAD:
        return
    curators = db.session.scalars(select(Account).where(Account.role == "curator", Account.state == "active"))
    for curator in curators:
        notifications.send(
            f"fixity:{file.id}:{clock.now()}:{curator.id}",
            to=curator.email,
            template="fixity_bad",
            name=curator.name,
            accession=dataset.accession,
            title=dataset.title,
            file=file.name,
            cause=why,
            path=file.archive_path or "",
            url=f"/datasets/{dataset.accession}",
        )


def summary(dataset: Dataset) -> dict[str, int]:
    """How many archived files stand with which verdict; '' for never read."""
    query = (
        select(func.coalesce(File.fixity, ""), func.count())
        .where(File.dataset_id == dataset.id, File.state == states.ARCHIVED)
        .group_by(File.fixity)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
