"""Where the archived bytes of a dataset belong: its realm follows its access. Until its release the access may change;
a job then moves the bag, and the dataset does not open before it is there."""

from sqlalchemy import select, update

from portal import clock, db, errors, states
from portal.domain.files import files
from portal.domain.shared import history, job_queue
from portal.domain.shared.job_queue import Lease
from portal.models import Dataset, File, Upload

MOVING = "Its files are on their way to the {} area."


def wanted(dataset: Dataset) -> str:
    """The realm of a dataset's access."""
    return "protected" if dataset.access == "controlled" else "open"


def other(realm: str) -> str:
    return "open" if realm == "protected" else "protected"


def obstacle(dataset: Dataset) -> str:
    """Why a dataset cannot open while its bytes lie elsewhere; empty when they do not."""
    return "" if dataset.realm == wanted(dataset) else MOVING.format(wanted(dataset))


def refuse_change(dataset: Dataset, access: str) -> None:
    """Bytes that came by the protected area and are not archived yet never become part of an open dataset."""
    if access == "controlled":
        return
    query = (
        select(File.name)
        .join(Upload, Upload.id == File.upload_id)
        .where(
            File.dataset_id == dataset.id,
            File.state.not_in((states.ARCHIVED, *states.DEAD_FILES)),
            Upload.realm == "protected",
        )
    )
    name = db.session.scalars(query.order_by(File.n).limit(1)).first()
    if name is not None:
        raise errors.Conflict(
            f"{name} came by the protected area, whose files go into controlled datasets only. Send it by the open "
            "area, or wait until it is archived; then change the access."
        )


def enqueue_move(dataset: Dataset) -> None:
    """The access changed: what is archived moves after it. Nothing is on disk before the first submit."""
    if dataset.accession is not None:
        job_queue.enqueue("move", dataset_id=dataset.id, priority=2)


def place_at_submit(dataset: Dataset) -> None:
    """At a submit: with no bag and nothing on its way to one the realm is just set; else all of it moves."""
    if dataset.realm == wanted(dataset):
        return
    if dataset.bag_dirty or dataset.bag_generation or files.count(dataset, states.ARCHIVED, states.CHECKING):
        enqueue_move(dataset)
    else:
        dataset.realm = wanted(dataset)


def switch(dataset: Dataset, lease: Lease, *, source: str) -> bool:
    """The bytes are complete in the other realm too: from this commit on they are read there. False where the access
    changed back meanwhile, or the bytes lie there already."""
    job_queue.check_lease(lease)
    if dataset.realm != source or wanted(dataset) == source:
        return False
    target = other(source)
    swap = update(Dataset).where(Dataset.id == dataset.id, Dataset.realm == source)
    if db.change(swap.values(realm=target, updated_at=clock.now())) != 1:
        return False
    db.session.refresh(dataset)
    history.record("move", actor=None, dataset=dataset, before={"realm": source}, after={"realm": target})
    if dataset.bag_generation:
        files.mark_bag(dataset)
    return True
