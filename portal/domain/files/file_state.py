"""How a declared file stands: its state, from its upload, its declared MD5 and its dataset, and from nothing else."""

from typing import NamedTuple, Protocol

from sqlalchemy import select

from portal import clock, db, states
from portal.domain.files import diagnosis
from portal.domain.shared import history, job_queue, transitions
from portal.models import Dataset, File, Upload

# What is no fault of the bytes: we could not read or copy them.
OUR_FAULTS = ("copy_error", "failure_during_copy")
LINKABLE = (states.RECEIVED, states.FAILED)
# The move that brings a file to each state that follows from its bytes.
MOVES = {
    states.WAITING: "unlink",
    states.RECEIVED: "link",
    states.CHECKING: "check",
    states.FAILED: "fail",
    states.ERROR: "refuse",
}
# States in which a dataset's bytes go on to the archive as they arrive.
IN_HAND = (states.SUBMITTED, states.APPROVED)


class Arrived(NamedTuple):
    """What is asked of an upload to say how its file stands."""

    id: int
    name: str
    state: str
    error: str | None
    md5: str | None
    sha256: str | None
    size: int
    members: int | None = None


def recompute_state_of_upload(upload: Upload) -> None:
    for file in db.session.scalars(select(File).where(File.upload_id == upload.id)):
        recompute_state(file)


def recompute_states(dataset: Dataset, ids: list[int]) -> None:
    """recompute_state() for many files of a dataset. Only what is red, or was, is looked at one by one."""
    waiting: list[int] = []
    for start in range(0, len(ids), 1000):
        query = (
            select(
                File.id,
                File.state,
                File.error,
                File.declared_md5,
                Upload.state.label("upload_state"),
                Upload.error.label("upload_error"),
                Upload.md5,
                Upload.sha256,
                Upload.size,
            )
            .outerjoin(Upload, Upload.id == File.upload_id)
            .where(File.id.in_(ids[start : start + 1000]))
        )
        for row in db.session.execute(query):
            upload = row.upload_state and Arrived(
                0, "", row.upload_state, row.upload_error, row.md5, row.sha256, row.size
            )
            if row.error or judge(upload or None, row.declared_md5, dataset.state) != (row.state, None):
                waiting.append(row.id)
    for file_id in waiting:
        recompute_state(db.session.get_one(File, file_id))


def recompute_state(file: File) -> None:
    """The one place that says how a file stands, from its upload, its declared MD5 and its dataset."""
    if file.state in (*states.DEAD_FILES, states.ARCHIVED):
        return
    state, error = _judge(file)
    if state == states.CHECKING:
        job_queue.enqueue("archive", dataset_id=file.dataset_id, priority=2)
    if (state, error) == (file.state, file.error) and error is None:
        return
    before = file.state
    finding = diagnosis.quick(file, error) if error else None
    now, comment = clock.now(), str(finding or "")
    if state != before:
        transitions.transition(file, MOVES[state], error=error, comment=comment, updated_at=now)
    else:
        file.error, file.comment, file.updated_at = error, comment, now
        db.session.flush()
    dataset = db.session.get(Dataset, file.dataset_id)
    assert dataset is not None
    history.record(
        "file",
        actor=None,
        dataset=dataset,
        file=file,
        upload=file.upload,
        before={"state": before},
        after={"state": state, "error": error},
    )
    if error == "md5_mismatch":
        job_queue.enqueue(
            "diagnose", dataset_id=dataset.id, key=f"diagnose:{file.id}", upload_id=file.upload_id, priority=4
        )


def _judge(file: File) -> tuple[str, str | None]:
    dataset = db.session.get(Dataset, file.dataset_id)
    return judge(file.upload, file.declared_md5, dataset.state if dataset is not None else "")


OWN_FAULTS = ("empty_file", "md5_mismatch")  # of a file whose upload is whole


class Judged(Protocol):
    """What an upload, or a row of one, tells of its bytes."""

    @property
    def state(self) -> str: ...
    @property
    def error(self) -> str | None: ...
    @property
    def md5(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def size(self) -> int: ...


def judge(upload: Judged | None, declared_md5: str | None, dataset_state: str) -> tuple[str, str | None]:
    """(state, error) of a file that claims an upload (a row with state, error, md5, sha256, size), or none."""
    if upload is None or upload.state not in (*LINKABLE, states.CHECKING):
        return states.WAITING, None
    if upload.state == states.FAILED:
        content = upload.error not in (None, *OUR_FAULTS)
        return (states.ERROR if content else states.FAILED), upload.error
    if upload.sha256 is not None and upload.size == 0:
        return states.ERROR, "empty_file"
    if upload.md5 is not None and declared_md5 and upload.md5 != declared_md5:
        return states.FAILED, "md5_mismatch"
    return whole(dataset_state), None


def whole(dataset_state: str) -> str:
    """The state of a file whose bytes are here and right."""
    return states.CHECKING if dataset_state in IN_HAND else states.RECEIVED
