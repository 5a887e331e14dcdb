"""Datasets change hands when their submitter leaves. What lies in an area does not follow: their files are archived, or
have not come yet. Center, accession and history stay."""

from sqlalchemy import func, select

from portal import clock, db, errors, states
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.domain.shared import history, notifications
from portal.models import Account, Dataset, File

MOST = 2000


def hand_over(dataset: Dataset, heir: Account, *, actor: Account | None) -> None:
    before = dataset.account
    if not heir.is_active:
        raise errors.Conflict(f"The account of {heir.name} is {heir.state}; only an open one can take datasets over.")
    if dataset.state == states.WITHDRAWN:
        raise errors.Conflict("It is withdrawn.")
    if heir.id == before.id:
        return
    left = files_here(dataset)
    if left:
        raise errors.NotReady(f"{left} of its files lie in the area of {before.name} and are not archived yet.")
    dataset.account_id, dataset.account, dataset.updated_at = heir.id, heir, clock.now()
    datasets.index(dataset)
    history.record(
        "hand_over", actor=actor, dataset=dataset, before={"submitter": before.email}, after={"submitter": heir.email}
    )
    if dataset.accession:
        files.mark_bag(dataset)


def files_here(dataset: Dataset) -> int:
    """Files whose bytes lie in the area of the submitter."""
    held = (
        File.dataset_id == dataset.id,
        File.upload_id.is_not(None),
        File.state.not_in((states.ARCHIVED, *states.DEAD_FILES)),
    )
    return db.session.scalar(select(func.count()).select_from(File).where(*held)) or 0


def hand_over_all(
    account: Account, heir: Account, *, accessions: list[str], actor: Account | None
) -> tuple[list[Dataset], dict[str, str]]:
    """The named datasets of an account, or all; what stays is told with its reason. The heir gets one mail."""
    query = select(Dataset).where(Dataset.account_id == account.id, Dataset.state != states.WITHDRAWN)
    if accessions:
        query = query.where(Dataset.accession.in_(accessions))
    found = list(db.session.scalars(query.order_by(Dataset.id).limit(MOST)).unique())
    known = {dataset.accession for dataset in found}
    stayed = {one: f"{account.name} has no dataset {one}." for one in accessions if one not in known}
    done = []
    for dataset in found:
        try:
            hand_over(dataset, heir, actor=actor)
            done.append(dataset)
        except errors.NotReady as error:
            stayed[called(dataset)] = error.sentence
    if done:
        notifications.send(
            f"handover:{account.id}:{heir.id}:{clock.now()}",
            to=heir.email,
            template="handed_over",
            name=heir.name,
            before=account.name,
            datasets=[(called(one), one.title) for one in done],
            url="/deposit",
        )
    return done, stayed


def called(dataset: Dataset) -> str:
    return dataset.accession or f"draft {dataset.id}"
