"""Release and what comes after: on the date, early, by a curator; unpublish, suppress, reinstate, withdraw.

A dataset opens only when every file is archived, was read and compared within seven days, and its bag is written.
"""

from datetime import timedelta

from sqlalchemy import func, or_, select

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.datasets import publications, realms, reviews, share_links
from portal.domain.files import files
from portal.domain.shared import history, job_queue, notifications, text_rules, transitions
from portal.domain.shared.trusted_clock import is_doubtful
from portal.models import Account, Dataset, File

FRESH_MS = 7 * clock.DAY
READING = "Its files are read and compared once more before it opens."
WRITING = "Its manifests are being written."
# What the release job sees to by itself.
PASSING = (READING, WRITING, realms.MOVING.format("open"), realms.MOVING.format("protected"))


def obstacles(dataset: Dataset) -> list[str]:
    """Why an approved dataset cannot open now, each as a sentence; empty when it can."""
    found = []
    total, archived = files.count(dataset), files.count(dataset, states.ARCHIVED)
    if not total:
        found.append("It has no files.")
    if archived < total:
        found.append(f"{total - archived} of {total} files are not archived yet.")
    bad = _archived_where(dataset, File.fixity == "bad")
    if bad:
        found.append(f"{bad} archived files are damaged; an operator must look at them.")
    if needs_fixity(dataset):
        found.append(READING)
    if dataset.bag_dirty:
        found.append(WRITING)
    if moving := realms.obstacle(dataset):
        found.append(moving)
    return found


def needs_fixity(dataset: Dataset) -> bool:
    """Whether some archived file was not read and found good within seven days."""
    stale = or_(File.fixity.is_(None), File.fixity == "unknown", File.fixity_at < clock.now() - FRESH_MS)
    return bool(_archived_where(dataset, stale))


def _archived_where(dataset: Dataset, condition) -> int:
    query = select(func.count()).where(File.dataset_id == dataset.id, File.state == states.ARCHIVED, condition)
    return int(db.session.scalar(query) or 0)


def request_release(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Ask for the release now. It is a job: the page shows how far it is, and it opens when it is ready."""
    if dataset.state != states.APPROVED or not transitions.roles_of(actor, dataset):
        move = states.DATASET.find("release")
        assert move is not None
        if not transitions.roles_of(actor, dataset):
            raise errors.Forbidden("Only its submitter or a curator may release this dataset.")
        raise errors.Conflict(f"This dataset is {dataset.state}; release starts from approved.", state=dataset.state)
    missing = files.count(dataset) - files.count(dataset, states.ARCHIVED)
    if missing:
        raise errors.NotReady(f"{missing} files are not archived yet. Send or delete them, then release.")
    if dataset.release_wanted_at is None:
        dataset.release_wanted_at = clock.now()
        history.record("ask_release", actor=actor, dataset=dataset, note=note)
    db.session.flush()
    job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
    return dataset


def is_wanted(dataset: Dataset) -> bool:
    """Approved, and asked for, told of by a publication, or due by a clock that can be believed."""
    if dataset.state != states.APPROVED:
        return False
    why = cause(dataset)
    return why is not None and not (why == "date" and is_doubtful())


def cause(dataset: Dataset) -> str | None:
    """Why a dataset opens now: asked, publication, date; None when nothing says that it should."""
    if dataset.release_wanted_at is not None:
        return "asked"
    if publications.is_told(dataset):
        return "publication"
    return "date" if dataset.release_date is not None and dataset.release_date <= day(0) else None


def day(ahead: int) -> str:
    """Today or a later day in the site's zone, as ISO."""
    return (clock.today(settings().timezone) + timedelta(days=ahead)).isoformat()


def due(limit: int = 1000, *, ahead: int = 0, skip: int = 0) -> list[Dataset]:
    """Every approved dataset that is asked for, told of by a publication or overdue, whenever it became so; with
    `ahead` also those whose day comes within so many days."""
    wanted = or_(Dataset.release_wanted_at.is_not(None), Dataset.release_date <= day(ahead), publications.tells())
    query = select(Dataset).where(Dataset.state == states.APPROVED, wanted)
    return list(db.session.scalars(query.order_by(Dataset.release_date, Dataset.id).offset(skip).limit(limit)))


def remind(days: int = 7) -> None:
    """Tell the submitters of what opens within a week, once for each date."""
    for dataset in due(ahead=days):
        if dataset.release_date is None or dataset.release_date <= day(0):
            continue
        left = "; ".join(sentence for sentence in obstacles(dataset) if sentence not in PASSING)
        notifications.send(
            f"release_due:{dataset.id}:{dataset.release_date}",
            to=dataset.account.email,
            template="release_due",
            name=dataset.account.name,
            title=dataset.title,
            accession=dataset.accession,
            release_date=dataset.release_date,
            left=left,
            zone=settings().timezone,
            url=f"/deposit/{dataset.accession}",
        )


def enqueue(dataset: Dataset) -> None:
    """Let the worker open it, or say what is in the way."""
    job_queue.enqueue("release", dataset_id=dataset.id, priority=3)


def release(dataset: Dataset, *, actor: Account | None = None) -> Dataset:
    """Open an approved dataset. Raises NotReady with every obstacle."""
    blocking = obstacles(dataset)
    if blocking:
        raise errors.NotReady(" ".join(blocking), obstacles=blocking)
    why, today = cause(dataset) or "asked", day(0)
    first = dataset.release_date if dataset.release_date and dataset.release_date <= today else today
    transitions.advance(
        dataset, "release", actor=actor, released_at=clock.now(), release_wanted_at=None, release_date=first
    )
    history.record("release", actor=actor, dataset=dataset, after={"cause": why})
    share_links.end_all(dataset)
    files.mark_bag(dataset)
    reviews.tell(dataset, "released")
    return dataset


def unpublish(dataset: Dataset, *, actor: Account, note: str) -> Dataset:
    """Close a released dataset again; its date is cleared, so that it stays closed."""
    reason = _reason(note)
    transitions.advance(dataset, "unpublish", actor=actor, release_date=None, release_wanted_at=None)
    history.record("unpublish", actor=actor, dataset=dataset, note=reason)
    files.mark_bag(dataset)
    return dataset


def suppress(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Take a released dataset out of search and listings; by its accession it still opens."""
    transitions.advance(dataset, "suppress", actor=actor)
    history.record("suppress", actor=actor, dataset=dataset, note=text_rules.prose(note))
    files.mark_bag(dataset)
    return dataset


def reinstate(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    transitions.advance(dataset, "reinstate", actor=actor)
    history.record("reinstate", actor=actor, dataset=dataset, note=text_rules.prose(note))
    files.mark_bag(dataset)
    return dataset


def withdraw(dataset: Dataset, *, actor: Account, note: str) -> Dataset:
    """Remove every copy of the bytes; a tombstone stays. The submitter may only while it was never released."""
    reason = _reason(note)
    if transitions.roles_of(actor, dataset) == {states.SUBMITTER} and dataset.released_at:
        raise errors.Forbidden("It was released: only a curator may withdraw it.")
    transitions.advance(dataset, "withdraw", actor=actor)
    history.record("withdraw", actor=actor, dataset=dataset, note=reason)
    share_links.end_all(dataset)
    job_queue.enqueue("withdraw", dataset_id=dataset.id, priority=1)
    return dataset


def _reason(note: str) -> str:
    reason = text_rules.prose(note)
    if not reason:
        raise errors.Invalid("Say why; the reason is kept in the history.", fields={"note": "Give a reason."})
    return reason
