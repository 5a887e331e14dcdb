"""Where the archived bytes of a dataset belong: its realm follows its access. Until its release the access may change;
a job then moves the bag, and the dataset does not open before it is there."""

from sqlalchemy import select, update

from portal import clock, db, errors, states
from portal.domain.files import files
from portal.domain.shared import history, job_queue
from portal.domain.shared.job_queue import Lease
from portal.messages import Message, say
from portal.models import Dataset, File, Upload


def moving_to(realm: str) -> Message:
    """The obstacle of a dataset whose bytes still move to this realm."""
    return say("files_moving", "Its files are on their way to the {realm} area.", realm=realm)


def of_access(dataset: Dataset) -> str:
    """The realm in which the bytes of a dataset of this access belong."""
    return "protected" if dataset.access == "controlled" else "open"


def other(realm: str) -> str:
    return "open" if realm == "protected" else "protected"


def obstacle(dataset: Dataset) -> Message | None:
    """Why a dataset cannot open while its bytes lie in the other realm; None when they do not."""
    return None if dataset.realm == of_access(dataset) else moving_to(of_access(dataset))


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
        text = (
            "{name} came by the protected area, whose files go into controlled datasets only. Send it by the open "
            "area, or wait until it is archived; then change the access."
        )
        raise errors.Conflict(say("access_protected_bytes", text, name=name))


def enqueue_move(dataset: Dataset) -> None:
    """Enqueue the move of archived bytes to the realm of a changed access. Before the first submit there are none."""
    if dataset.accession is not None:
        job_queue.enqueue("move", dataset_id=dataset.id, priority=2)


def place_at_submit(dataset: Dataset) -> None:
    """At a submit, bring the dataset to the realm of its access: with nothing archived or about to be it is just set,
    else a job moves the bytes."""
    if dataset.realm == of_access(dataset):
        return
    if dataset.bag_dirty or dataset.bag_generation or files.count(dataset, states.ARCHIVED, states.CHECKING):
        enqueue_move(dataset)
    else:
        dataset.realm = of_access(dataset)


def switch(dataset: Dataset, lease: Lease, *, source: str) -> bool:
    """End a move, once the bytes are complete in the other realm too: from this commit on they are read there. False
    where the access changed back meanwhile, or the bytes lie there already."""
    job_queue.check_lease(lease)
    if dataset.realm != source or of_access(dataset) == source:
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
