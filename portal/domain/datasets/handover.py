"""Datasets change hands when their submitter leaves. What lies in an area does not follow: their files are archived, or
have not come yet. Center, accession, history and who is cited stay; what a released record says is not touched."""

from sqlalchemy import func, select

from portal import clock, db, errors, states
from portal.domain.accounts import editors
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.domain.shared import history, notifications
from portal.messages import Message, say
from portal.models import Account, Dataset, File

MOST = 2000


def hand_over(dataset: Dataset, heir: Account, *, actor: Account | None, stays: bool = False) -> None:
    """Make `heir` the owner; `stays`: who owned it goes on editing it as a co-submitter. Raises Conflict, and NotReady
    while files lie in the area of the old one."""
    before = dataset.account
    if not heir.is_active:
        text = "The account of {name} is {state}; only an open one can take datasets over."
        raise errors.Conflict(say("heir_not_open", text, name=heir.name, state=heir.state))
    if dataset.state == states.WITHDRAWN:
        raise errors.Conflict(say("handover_withdrawn", "It is withdrawn."))
    if heir.id == before.id:
        return
    left = files_here(dataset)
    if left:
        text = "{count} of its files lie in the area of {name} and are not archived yet."
        raise errors.NotReady(say("handover_files_left", text, count=left, name=before.name))
    if dataset.accession:
        dataset.recorded_submitter = dataset.submitter
    if dataset.released_at is None:
        dataset.updated_at = clock.now()
    dataset.account_id, dataset.account = heir.id, heir
    editors.replace(dataset, heir, before if stays and before.is_active else None, actor=actor)
    datasets.index(dataset)
    history.record(
        "hand_over", actor=actor, dataset=dataset, before={"submitter": before.email}, after={"submitter": heir.email}
    )
    if dataset.accession:
        files.mark_bag(dataset)


def files_here(dataset: Dataset) -> int:
    """Number of files whose bytes still lie in the area of the submitter."""
    held = (
        File.dataset_id == dataset.id,
        File.upload_id.is_not(None),
        File.state.not_in((states.ARCHIVED, *states.DEAD_FILES)),
    )
    return db.session.scalar(select(func.count()).select_from(File).where(*held)) or 0


def hand_over_all(
    account: Account, heir: Account, *, accessions: list[str], actor: Account | None, stays: bool = False
) -> tuple[list[Dataset], dict[str, Message]]:
    """Hand over the named datasets of an account, or all. Returns those handed over, and by name why others stay. The
    heir gets one mail. `stays`: the account goes on editing them as a co-submitter."""
    query = select(Dataset).where(Dataset.account_id == account.id, Dataset.state != states.WITHDRAWN)
    if accessions:
        query = query.where(Dataset.accession.in_(accessions))
    leaving = list(db.session.scalars(query.order_by(Dataset.id).limit(MOST)).unique())
    owned = {dataset.accession for dataset in leaving}
    stayed = {accession: _not_owned(account, accession) for accession in accessions if accession not in owned}
    done = []
    for dataset in leaving:
        try:
            hand_over(dataset, heir, actor=actor, stays=stays)
            done.append(dataset)
        except errors.NotReady as error:
            stayed[called(dataset)] = error.message
    if done:
        notifications.send(
            f"handover:{account.id}:{heir.id}:{clock.now()}",
            to=heir.email,
            template="handed_over",
            name=heir.name,
            before=account.name,
            datasets=[(called(dataset), dataset.title) for dataset in done],
            url="/deposit",
        )
    return done, stayed


def _not_owned(account: Account, accession: str) -> Message:
    text = "{name} has no dataset {accession}."
    return say("handover_not_owned", text, name=account.name, accession=accession)


def called(dataset: Dataset) -> str:
    """How a dataset is named in a mail or on the command line."""
    return dataset.accession or f"draft {dataset.id}"
