"""Background work that failed for good while something waits for it: a release for the manifests, an approval for the
archive. It is told with its cause wherever one looks for the dataset, and to the curators by mail; it is over as soon
as the job is run again, or a newer one of its kind did the work.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.domain.files import file_state
from portal.domain.permissions import access
from portal.domain.shared import job_queue, notifications
from portal.messages import Message, say
from portal.models import Account, Dataset, File, Job, Mail, Upload

LONGEST_CAUSE = 300
MOST = 200
MAIL = "failed_work"
PAUSE = 15 * clock.MINUTE  # between two mails: a disk that breaks takes many jobs with it
_CLOSED = (states.DRAFT, states.SUBMITTED, states.RETURNED, states.APPROVED)


@dataclass(frozen=True)
class Kind:
    """A kind of job that something waits for: what could not be done; what that holds up, before the release of the
    dataset and after it; and when that is so, as a condition on its job, dataset and upload."""

    failed: str
    holds: str
    later: str
    is_owed: Callable[[], ColumnElement[bool]]


@dataclass(frozen=True)
class FailedWork:
    """A job that failed for good, and the dataset (or, where none has it yet, the upload) that waits for it."""

    job: Job
    dataset: Dataset | None
    upload: Upload | None

    @property
    def subject(self) -> str:
        """What waits, by its name."""
        if self.dataset is not None:
            return self.dataset.accession or f"dataset {self.dataset.id}"
        return f"upload {self.job.upload_id}"

    @property
    def cause(self) -> str:
        """Why the last attempt failed, as one sentence."""
        cause = " ".join(self.job.error.split())[:LONGEST_CAUSE].rstrip(". ")
        return f"{cause or 'The log of the worker says why'}."

    @property
    def message(self) -> Message:
        """What failed, why, what waits for it, and how it goes on."""
        kind = KINDS[self.job.kind]
        closed = self.dataset is None or self.dataset.state in _CLOSED
        return say(
            f"failed_{self.job.kind}",
            f"{kind.failed}: {{cause}} {kind.holds if closed else kind.later} It goes on by itself when a curator runs "
            "job {job} again.",
            cause=self.cause,
            job=self.job.id,
            file=self.upload.name if self.upload is not None else "",
        )


def of(dataset: Dataset) -> list[FailedWork]:
    """What failed for good of a dataset and its files, newest first."""
    return of_datasets([dataset.id])[dataset.id]


def of_datasets(ids: Iterable[int]) -> dict[int, list[FailedWork]]:
    """The same for several datasets, by id."""
    by_dataset: dict[int, list[FailedWork]] = {dataset_id: [] for dataset_id in ids}
    for work in _find(Dataset.id.in_(list(by_dataset))) if by_dataset else ():
        assert work.dataset is not None
        by_dataset[work.dataset.id].append(work)
    return by_dataset


def of_sender(account: Account) -> list[FailedWork]:
    """What failed for good with bytes in somebody's drop box, which no dataset's page would tell."""
    return _find(Upload.account_id == account.id, Dataset.id.is_(None))


def everywhere(limit: int = MOST) -> list[FailedWork]:
    """All of it, newest first."""
    return _find(limit=limit)


def _find(*where: ColumnElement[bool], limit: int = MOST) -> list[FailedWork]:
    owed = or_(*(and_(Job.kind == name, kind.is_owed()) for name, kind in KINDS.items()))
    query = (
        select(Job, Dataset, Upload)
        .outerjoin(Upload, Upload.id == Job.upload_id)
        .outerjoin(File, and_(File.upload_id == Job.upload_id, File.state.not_in(states.DEAD_FILES)))
        .outerjoin(Dataset, or_(Dataset.id == Job.dataset_id, Dataset.id == File.dataset_id))
        .where(job_queue.is_dead(), owed, *where)
        .order_by(Job.id.desc())
        .limit(limit)
    )
    return [FailedWork(*row) for row in db.session.execute(query).unique()]


def mail() -> None:
    """Mail the curators what failed for good and was not told yet; what fails soon after it waits for the next mail."""
    failed = everywhere()
    if not failed:
        return
    newest = max(work.job.ended_at or 0 for work in failed)
    last = select(Mail).where(Mail.key >= f"{MAIL}:", Mail.key < f"{MAIL};").order_by(Mail.id.desc()).limit(1)
    told = db.session.scalar(last)
    if told is not None and (told.created_at > clock.now() - PAUSE or int(told.key.split(":")[1]) >= newest):
        return
    for curator in access.curators():
        notifications.send(
            f"{MAIL}:{newest}:{curator.id}",
            to=curator.email,
            template="failed_work",
            name=curator.name,
            failed=[(work.subject, work.dataset.title if work.dataset else "", str(work.message)) for work in failed],
            url="/admin/jobs?state=failed",
        )


def _always() -> ColumnElement[bool]:
    return Job.id.is_not(None)


def _has_unarchived() -> ColumnElement[bool]:
    file = aliased(File)
    ours = and_(file.state == states.FAILED, file.error.in_(file_state.OUR_FAULTS))
    return exists().where(file.dataset_id == Dataset.id, or_(file.state == states.CHECKING, ours))


def _is_unread() -> ColumnElement[bool]:
    failed = and_(Upload.state == states.FAILED, Upload.error.in_(file_state.OUR_FAULTS))
    return or_(failed, and_(Upload.state.in_((states.RECEIVED, states.CHECKING)), Upload.sha256.is_(None)))


def _is_uncompared() -> ColumnElement[bool]:
    file = aliased(File)
    stale = or_(file.fixity.is_(None), file.fixity == "unknown", file.fixity_at < clock.now() - 7 * clock.DAY)
    return exists().where(file.dataset_id == Dataset.id, file.state == states.ARCHIVED, stale)


def _lies_elsewhere() -> ColumnElement[bool]:
    protected = and_(Dataset.access == "controlled", Dataset.realm == "open")
    return and_(
        Dataset.state != states.WITHDRAWN, or_(protected, and_(Dataset.access == "open", Dataset.realm != "open"))
    )


RELEASE_WAITS = "Its release waits for this."
KINDS: dict[str, Kind] = {
    "archive": Kind(
        "Its files could not be archived",
        "Its approval and release wait for this.",
        "What changed of it is not archived until then.",
        _has_unarchived,
    ),
    "bag": Kind(
        "The manifests of its files could not be written",
        RELEASE_WAITS,
        "They are out of date until then.",
        lambda: Dataset.bag_dirty.is_(True),
    ),
    "components": Kind(
        "Its metadata components could not be brought up to date",
        "They are out of date until then.",
        "They are out of date until then.",
        _always,
    ),
    "digest": Kind(
        "{file} could not be read for its MD5",
        "It is neither checked nor archived until then.",
        "It is neither checked nor archived until then.",
        _is_unread,
    ),
    "drop": Kind(
        "The XML sent by FTP with {file} could not be taken",
        "No RECEIPT is written until then.",
        "No RECEIPT is written until then.",
        _always,
    ),
    "fixity": Kind(
        "Its archived files could not be read and compared",
        RELEASE_WAITS,
        "Nobody knows until then whether they are still good.",
        _is_uncompared,
    ),
    "mismatches": Kind(
        "The mail on the MD5s that do not match could not be written",
        "Its submitter has not been told by mail.",
        "Its submitter has not been told by mail.",
        _always,
    ),
    "move": Kind(
        "Its files could not be moved to the area of its access",
        RELEASE_WAITS,
        "They lie in the other area until then.",
        _lies_elsewhere,
    ),
    "release": Kind(
        "It could not be released",
        "It stays closed until then.",
        "It stays closed until then.",
        lambda: Dataset.state == states.APPROVED,
    ),
    "remarks": Kind(
        "The mail with its remarks could not be written",
        "Whoever they are for has not been told.",
        "Whoever they are for has not been told.",
        _always,
    ),
    "withdraw": Kind(
        "Its files could not be removed",
        "They stay on the disks until then.",
        "They stay on the disks until then.",
        lambda: Dataset.state == states.WITHDRAWN,
    ),
}
# What an approved dataset waits for before it opens.
HOLD_RELEASE = frozenset({"archive", "bag", "digest", "fixity", "move"})
