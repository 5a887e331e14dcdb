"""The turns between submitter and curators: handed in, taken back, approved for the version that was seen, or returned
with a remark; and what a curator saw of a dataset."""

from sqlalchemy import select

from portal import clock, db, errors
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets, remarks
from portal.domain.files import files
from portal.domain.shared import changes, history, job_queue, notifications, text_rules, transitions
from portal.models import Account, Dataset, Look

# Opened again within this time it is the same visit: what was new stays marked.
VISIT = clock.HOUR


def hand_in(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Submit, and tell the curators: those who know the dataset, else all. The note is a remark they read."""
    again = dataset.first_submitted_at is not None
    said = text_rules.prose(note)
    datasets.submit(dataset, actor=actor, note=said)
    if said:
        remarks.say(dataset, said, actor=actor, turn="submit")
    _tell_curators(dataset, "handed_in", turn=str(dataset.version), again=again)
    return dataset


def take_back(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Recall, and tell the curators who had begun to look."""
    said = text_rules.prose(note)
    datasets.recall(dataset, actor=actor, note=said)
    if said:
        remarks.say(dataset, said, actor=actor, turn="recall")
    if db.session.scalar(select(Look.account_id).where(Look.dataset_id == dataset.id).limit(1)):
        _tell_curators(dataset, "recalled", turn=f"{dataset.version}:{dataset.updated_at}")
    return dataset


def _tell_curators(dataset: Dataset, template: str, *, turn: str, **values: object) -> None:
    said = remarks.lines(remarks.unmailed(dataset, own=True))
    for curator in remarks.concerned(dataset):
        notifications.send(
            f"{template}:{dataset.id}:{turn}:{curator.id}",
            to=curator.email,
            template=template,
            name=curator.name,
            title=dataset.title,
            accession=dataset.accession,
            version=dataset.version,
            who=dataset.account.name,
            remarks=said,
            url=f"/review/{dataset.accession}",
            **values,
        )
    remarks.told(dataset, own=True)


def approve(dataset: Dataset, *, actor: Account, version: int | None = None, note: str = "") -> Dataset:
    """Approve a dataset. Raises Conflict with the difference when it was changed since `version` was looked at."""
    if version is not None and version != dataset.version:
        _refuse_newer(dataset, version)
    if actor.is_curator and not may_approve(dataset, actor):
        raise errors.Forbidden("This dataset is your own: another curator approves it.")
    remark = text_rules.prose(note)
    transitions.advance(dataset, "approve", actor=actor, approved_version=dataset.version)
    history.record("approve", actor=actor, dataset=dataset, note=remark, after={"version": dataset.version})
    _turned(dataset, "approved", remark, actor)
    files.mark_bag(dataset)
    if datasets.due(dataset):
        job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
    return dataset


def _refuse_newer(dataset: Dataset, version: int) -> None:
    seen = changes.as_of(dataset, version)
    found = changes.since(dataset, seen.id if seen else 0)
    raise errors.Conflict(
        f"You looked at version {version}; the submitter changed it since, it is version {dataset.version} now. "
        "Look at what changed, then decide.",
        version=dataset.version,
        changes=[change.document() for change in found],
    )


def may_approve(dataset: Dataset, actor: Account) -> bool:
    """Nobody judges their own dataset, unless there is no other curator."""
    return actor.id != dataset.account_id or accounts.count_curators() == 1


def return_(dataset: Dataset, *, actor: Account, note: str) -> Dataset:
    """Give a dataset back to its submitter, with the remark that says why."""
    remark = text_rules.prose(note)
    if not remark:
        raise errors.Invalid("Say what the submitter is to mend.", fields={"note": "Say what is to be mended."})
    transitions.advance(dataset, "return", actor=actor)
    history.record("return", actor=actor, dataset=dataset, note=remark, after={"version": dataset.version})
    _turned(dataset, "returned", remark, actor)
    files.note_bag(dataset)
    return dataset


def _turned(dataset: Dataset, template: str, remark: str, actor: Account) -> None:
    """What a decision brings with it: its remark in the thread, the mail with all that is still to be read, and that
    the curator has seen the dataset as it stands."""
    if remark:
        remarks.say(dataset, remark, actor=actor, turn="approve" if template == "approved" else "return")
    others = [one for one in remarks.unmailed(dataset, own=False) if not one.turn]
    tell(
        dataset, template, note=remark, curator=actor.name, url=f"/deposit/{dataset.id}", remarks=remarks.lines(others)
    )
    remarks.told(dataset, own=False)
    mark_seen(dataset, actor=actor)


def look(dataset: Dataset, *, actor: Account) -> Look:
    """Note that somebody sees a dataset as it is now. `since_id` stays for the time of a visit, so that loading the
    page again does not hide what was new."""
    seen = db.session.get(Look, (actor.id, dataset.id))
    newest = changes.newest(dataset)
    if seen is None:
        seen = Look(account_id=actor.id, dataset_id=dataset.id, since_id=newest)
        db.session.add(seen)
    elif clock.now() - seen.at > VISIT:
        seen.since_id = seen.event_id
    seen.event_id, seen.version, seen.at = newest, dataset.version, clock.now()
    db.session.flush()
    return seen


def mark_seen(dataset: Dataset, *, actor: Account) -> Look:
    """Nothing is new to this curator any more."""
    seen = look(dataset, actor=actor)
    seen.since_id = seen.event_id
    db.session.flush()
    return seen


def tell(dataset: Dataset, template: str, *, url: str = "", **values: object) -> None:
    """Mail the submitter about a turn of the dataset, once a turn."""
    db.session.flush()
    turn = f"{template}:{dataset.id}:{dataset.version}:{dataset.updated_at}"
    notifications.send(
        turn,
        to=dataset.account.email,
        template=template,
        name=dataset.account.name,
        title=dataset.title,
        accession=dataset.accession,
        access=dataset.access,
        release_date=dataset.release_date,
        url=url or f"/datasets/{dataset.accession}",
        **values,
    )
