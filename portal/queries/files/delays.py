"""Files that are checked for too long (OMIX guide: "Checking" for more than 24 hours): why, and whom to ask."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, or_, select

from portal import clock, db, states
from portal.config import settings
from portal.domain.shared import job_queue
from portal.models import Dataset, File, Job, Upload
from portal.queries.files.files import DELAYED

__all__ = ["DELAYED", "LONG", "TRIES", "Delays", "of", "of_dataset"]
LONG, TRIES = clock.DAY, 3
MOST_AHEAD = 1000
Pair = tuple[Upload | None, File | None]
_OPEN = (states.QUEUED, states.RUNNING)


@dataclass(frozen=True)
class Delays:
    """The open jobs of uploads (digest) and of datasets (archive), by their ids."""

    uploads: dict[int, Job] = field(default_factory=dict)
    datasets: dict[int, Job] = field(default_factory=dict)
    DELAYED: ClassVar[states.Shown] = DELAYED

    def says(self, upload: Upload | None, file: File | None) -> str:
        """Why a file is delayed and what to do; empty where it is not."""
        if not _is_checked(upload, file):
            return ""
        job, unread = self._job(upload, file), _is_unread(upload)
        late = clock.now() - _since(upload, file, unread) > LONG
        if not late and (job is None or job.attempt - (job.state == states.RUNNING) < TRIES):
            return ""
        how = "for more than a day" if late else f"and {TRIES} attempts came to nothing"
        cause = f" {job.error.rstrip('.')}." if job is not None and job.error else ""
        return f"Delayed: it has been checked {how}.{cause} Write to {settings().contact} and name the file."

    def waits(self, upload: Upload | None, file: File | None) -> str:
        """What a checked file waits for: its place among the background jobs, its next attempt, or a worker that is
        down. Empty where it is read or archived just now."""
        job = self._job(upload, file) if _is_checked(upload, file) else None
        if job is None:
            return ""
        if self._is_down:
            return "The worker is down; checking goes on when it runs again."
        if job.state == states.RUNNING:
            return ""
        if job.id in self._queue:
            return f"Number {self._queue.index(job.id) + 1:,} in the queue of background jobs."
        cause = f": {job.error.rstrip('.')}" if job.error else ""
        return (
            f"Tried again soon{cause}." if job.not_before > clock.now() else f"More than {MOST_AHEAD:,} jobs are ahead."
        )

    def _job(self, upload: Upload | None, file: File | None) -> Job | None:
        if upload is not None and _is_unread(upload):
            return self.uploads.get(upload.id)
        return self.datasets.get(file.dataset_id if file else 0)

    @cached_property
    def _is_down(self) -> bool:
        return job_queue.is_worker_down()

    @cached_property
    def _queue(self) -> list[int]:
        return job_queue.due(limit=MOST_AHEAD)


def _is_unread(upload: Upload | None) -> bool:
    return upload is not None and upload.md5 is None


def _is_checked(upload: Upload | None, file: File | None) -> bool:
    unread = upload is not None and upload.state == states.RECEIVED and upload.md5 is None
    return unread or (file is not None and file.state == states.CHECKING)


def _since(upload: Upload | None, file: File | None, unread: bool) -> int:
    if upload is not None and (unread or file is None):
        return upload.received_at or upload.created_at
    return file.updated_at if file is not None else clock.now()


def of(pairs: Iterable[Pair]) -> Delays:
    """For a page of uploads and the files that claim them; asks nothing where none is checked."""
    checked = [pair for pair in pairs if _is_checked(*pair)]
    if not checked:
        return Delays()
    uploads = {upload.id for upload, _file in checked if upload is not None}
    datasets = {file.dataset_id for _upload, file in checked if file is not None}
    digests = and_(Job.kind == "digest", Job.upload_id.in_(uploads))
    archives = and_(Job.kind == "archive", Job.dataset_id.in_(datasets))
    return _delays(or_(digests, archives))


def of_dataset(dataset: Dataset) -> Delays:
    """The delays of all files of a dataset."""
    digests = (
        select(Job.id)
        .join(File, File.upload_id == Job.upload_id)
        .where(Job.state.in_(_OPEN), Job.kind == "digest", File.dataset_id == dataset.id)
    )
    return _delays(or_(Job.id.in_(digests), and_(Job.kind == "archive", Job.dataset_id == dataset.id)))


def _delays(condition: ColumnElement[bool]) -> Delays:
    """The open jobs that fulfil a condition."""
    delays = Delays()
    for job in db.session.scalars(select(Job).where(Job.state.in_(_OPEN), condition).order_by(Job.id)):
        if job.kind == "digest":
            delays.uploads[job.upload_id or 0] = job
        else:
            delays.datasets[job.dataset_id or 0] = job
    return delays
