"""Release and what comes after: on the date, early, by a curator; unpublish, suppress, reinstate, withdraw.

A dataset opens only when every file is archived, was read and compared within seven days, and its bag is written.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, func, or_, select

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.accounts import editors
from portal.domain.datasets import datasets, failed_work, publications, realms, reviews, share_links
from portal.domain.files import files
from portal.domain.shared import history, job_queue, notifications, text_rules, transitions
from portal.domain.shared.trusted_clock import is_doubtful
from portal.messages import Message, say
from portal.models import Account, Dataset, File

FRESH_MS = 7 * clock.DAY
READING = say("release_reading", "Its files are read and compared once more before it opens.")
WRITING = say("release_writing", "Its manifests are being written.")
# Codes of the obstacles that the release job removes by itself.
TRANSIENT = (READING.code, WRITING.code, realms.moving_to("open").code)


def obstacles(dataset: Dataset) -> list[Message]:
    """Why an approved dataset cannot open now; empty when it can."""
    messages = []
    total, archived = files.count(dataset), files.count(dataset, states.ARCHIVED)
    if not total:
        messages.append(say("release_no_files", "It has no files."))
    if archived < total:
        text = "{count} of {total} files are not archived yet."
        messages.append(say("release_files_left", text, count=total - archived, total=total))
    bad = _archived_where(dataset, File.fixity == "bad")
    if bad:
        text = "{count} archived files are damaged; an operator must look at them."
        messages.append(say("release_files_damaged", text, count=bad))
    failed = [work for work in failed_work.of(dataset) if work.job.kind in failed_work.HOLD_RELEASE]
    dead = {work.job.kind for work in failed}
    if "fixity" not in dead and needs_fixity(dataset):
        messages.append(READING)
    if "bag" not in dead and dataset.bag_dirty:
        messages.append(WRITING)
    if "move" not in dead and (moving := realms.obstacle(dataset)):
        messages.append(moving)
    return messages + [work.message for work in failed]


def needs_fixity(dataset: Dataset) -> bool:
    """Whether some archived file was not read and found good within seven days."""
    stale = or_(File.fixity.is_(None), File.fixity == "unknown", File.fixity_at < clock.now() - FRESH_MS)
    return bool(_archived_where(dataset, stale))


def _archived_where(dataset: Dataset, condition: ColumnElement[bool]) -> int:
    query = select(func.count()).where(File.dataset_id == dataset.id, File.state == states.ARCHIVED, condition)
    return int(db.session.scalar(query) or 0)


def request_release(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Ask for the release now. It is a job: the page shows how far it is, and it opens when it is ready."""
    if not transitions.roles_of(actor, dataset):
        raise errors.Forbidden(say("release_by", "Only its submitter or a curator may release this dataset."))
    if dataset.state != states.APPROVED:
        text = "This dataset is {state}; release starts from approved."
        raise errors.Conflict(say("release_only_approved", text, state=dataset.state), state=dataset.state)
    missing = files.count(dataset) - files.count(dataset, states.ARCHIVED)
    if missing:
        text = "{count} files are not archived yet. Send or delete them, then release."
        raise errors.NotReady(say("release_files_missing", text, count=missing))
    if dataset.release_wanted_at is None:
        dataset.release_wanted_at = clock.now()
        history.record("ask_release", actor=actor, dataset=dataset, note=text_rules.prose(note))
    db.session.flush()
    job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
    return dataset


def is_wanted(dataset: Dataset) -> bool:
    """Whether an approved dataset is to open: asked for, named by a publication, or due by a clock that is trusted."""
    if dataset.state != states.APPROVED:
        return False
    why = cause(dataset)
    return why is not None and not (why == "date" and is_doubtful())


def cause(dataset: Dataset) -> str | None:
    """Why a dataset is to open now: `asked`, `publication` or `date`; None when nothing says that it should."""
    if dataset.release_wanted_at is not None:
        return "asked"
    if publications.is_published(dataset):
        return "publication"
    return "date" if dataset.release_date is not None and dataset.release_date <= day(0) else None


def day(ahead: int) -> str:
    """Today or a later day in the site's zone, as ISO."""
    return (clock.today(settings().timezone) + timedelta(days=ahead)).isoformat()


def due(limit: int = 1000, *, ahead: int = 0, skip: int = 0) -> list[Dataset]:
    """Approved datasets whose release is asked for, named by a publication or overdue, however long; with `ahead` also
    those whose day comes within so many days."""
    opening = or_(Dataset.release_wanted_at.is_not(None), Dataset.release_date <= day(ahead), publications.published())
    query = select(Dataset).where(Dataset.state == states.APPROVED, opening)
    return list(db.session.scalars(query.order_by(Dataset.release_date, Dataset.id).offset(skip).limit(limit)))


def remind(days: int = 7) -> None:
    """Mail the owner and co-submitters of what opens within `days`, once for each date."""
    for dataset in due(ahead=days):
        if dataset.release_date is None or dataset.release_date <= day(0):
            continue
        left = "; ".join(str(message) for message in obstacles(dataset) if message.code not in TRANSIENT)
        for key, person in editors.mailed(dataset, f"release_due:{dataset.id}:{dataset.release_date}"):
            notifications.send(
                key,
                to=person.email,
                template="release_due",
                name=person.name,
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
        raise errors.NotReady(blocking, obstacles=[str(message) for message in blocking])
    why, today = cause(dataset) or "asked", day(0)
    first = dataset.release_date if dataset.release_date and dataset.release_date <= today else today
    transitions.advance(
        dataset,
        "release",
        actor=actor,
        released_at=clock.now(),
        release_wanted_at=None,
        release_date=first,
        recorded_submitter=dataset.submitter,
    )
    datasets.index(dataset)
    history.record("release", actor=actor, dataset=dataset, after={"cause": why})
    share_links.end_all(dataset)
    files.mark_bag(dataset)
    reviews.mail_submitter(dataset, "released")
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
        text = "It was released: only a curator may withdraw it."
        raise errors.Forbidden(say("withdraw_by_curator", text))
    transitions.advance(dataset, "withdraw", actor=actor)
    history.record("withdraw", actor=actor, dataset=dataset, note=reason)
    share_links.end_all(dataset)
    job_queue.enqueue("withdraw", dataset_id=dataset.id, priority=1)
    return dataset


def _reason(note: str) -> str:
    reason = text_rules.prose(note)
    if not reason:
        text = "Say why; the reason is kept in the history."
        raise errors.Invalid(say("reason_kept", text), fields={"note": say("reason_missing", "Give a reason.")})
    return reason
