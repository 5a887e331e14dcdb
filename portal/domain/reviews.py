"""The curators' part: approve the version that was seen, or return it with a remark."""

from portal import db, errors
from portal.domain import datasets, files, history, jobs, names, notices, transitions
from portal.models import Account, Dataset


def approve(dataset: Dataset, *, actor: Account, version: int | None = None, note: str = "") -> Dataset:
    """Approve a dataset. Raises Conflict when it was changed since `version` was looked at."""
    if version is not None and version != dataset.version:
        raise errors.Conflict(
            f"You looked at version {version}; the submitter changed it since, it is version {dataset.version} now. "
            "Look at what changed, then decide.", version=dataset.version)  # fmt: skip
    transitions.advance(dataset, "approve", actor=actor, approved_version=dataset.version)
    history.record("approve", actor=actor, dataset=dataset, note=note, after={"version": dataset.version})
    files.mark_bag(dataset)
    tell(dataset, "approved", note=note, curator=actor.name, url=f"/deposit/{dataset.id}")
    if datasets.due(dataset):
        jobs.owe("release", dataset_id=dataset.id, priority=3)
    return dataset


def return_(dataset: Dataset, *, actor: Account, note: str) -> Dataset:
    """Give a dataset back to its submitter, with the remark that says why."""
    remark = names.prose(note)
    if not remark:
        raise errors.Invalid("Say what the submitter is to mend.", fields={"note": "Say what is to be mended."})
    transitions.advance(dataset, "return", actor=actor)
    history.record("return", actor=actor, dataset=dataset, note=remark, after={"version": dataset.version})
    tell(dataset, "returned", note=remark, curator=actor.name, url=f"/deposit/{dataset.id}")
    return dataset


def tell(dataset: Dataset, template: str, *, url: str = "", **values: str) -> None:
    """Mail the submitter about a turn of the dataset, once a turn."""
    db.session.flush()
    turn = f"{template}:{dataset.id}:{dataset.version}:{dataset.updated_at}"
    notices.send(turn, to=dataset.account.email, template=template, name=dataset.account.name, title=dataset.title,
                 accession=dataset.accession, access=dataset.access, release_date=dataset.release_date,
                 url=url or f"/datasets/{dataset.accession}", **values)  # fmt: skip
