"""Review: a dataset is submitted, recalled, approved in the version that the curator saw, or returned with a remark.
What each curator saw of it is recorded."""

from sqlalchemy import select

from portal import clock, db, errors
from portal.domain.accounts import accounts, editors
from portal.domain.datasets import datasets, remarks
from portal.domain.files import files
from portal.domain.permissions import access
from portal.domain.shared import changes, history, job_queue, notifications, text_rules, transitions
from portal.messages import say
from portal.models import Account, Dataset, Look

# Opened again within this time it is the same visit: what was new stays marked.
VISIT = clock.HOUR


def submit(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Submit, and tell the curators: those who know the dataset, else all. The note is a remark they read."""
    again = dataset.first_submitted_at is not None
    remark = text_rules.prose(note)
    datasets.submit(dataset, actor=actor, note=remark)
    if remark:
        remarks.add(dataset, remark, actor=actor, decision="submit")
    _mail_curators(dataset, "handed_in", decision=str(dataset.version), again=again)
    return dataset


def recall(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Recall, and tell the curators who had begun to look."""
    remark = text_rules.prose(note)
    datasets.recall(dataset, actor=actor, note=remark)
    if remark:
        remarks.add(dataset, remark, actor=actor, decision="recall")
    if db.session.scalar(select(Look.account_id).where(Look.dataset_id == dataset.id).limit(1)):
        _mail_curators(dataset, "recalled", decision=f"{dataset.version}:{dataset.updated_at}")
    return dataset


def _mail_curators(dataset: Dataset, template: str, *, decision: str, **values: object) -> None:
    lines = remarks.lines(remarks.unmailed(dataset, own=True))
    for curator in remarks.concerned(dataset):
        notifications.send(
            f"{template}:{dataset.id}:{decision}:{curator.id}",
            to=curator.email,
            template=template,
            name=curator.name,
            title=dataset.title,
            accession=dataset.accession,
            version=dataset.version,
            who=dataset.account.name,
            remarks=lines,
            url=f"/review/{dataset.accession}",
            **values,
        )
    remarks.mark_mailed(dataset, own=True)


def approve(dataset: Dataset, *, actor: Account, version: int | None = None, note: str = "") -> Dataset:
    """Approve a dataset. Raises Conflict with the difference when it was changed since `version` was looked at."""
    if version is not None and version != dataset.version:
        _refuse_newer(dataset, version)
    if actor.is_curator and not may_approve(dataset, actor):
        raise errors.Forbidden(say("approve_own", "This dataset is your own: another curator approves it."))
    remark = text_rules.prose(note)
    transitions.advance(dataset, "approve", actor=actor, approved_version=dataset.version)
    history.record("approve", actor=actor, dataset=dataset, note=remark, after={"version": dataset.version})
    _finish_decision(dataset, "approved", remark, actor)
    files.mark_bag(dataset)
    if datasets.due(dataset):
        job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
    return dataset


def _refuse_newer(dataset: Dataset, version: int) -> None:
    """Raises Conflict with what changed since the version that the curator looked at."""
    seen = changes.as_of(dataset, version)
    edits = changes.since(dataset, seen.id if seen else 0)
    text = (
        "You looked at version {seen}; the submitter changed it since, it is version {now} now. "
        "Look at what changed, then decide."
    )
    raise errors.Conflict(
        say("approve_newer", text, seen=version, now=dataset.version),
        version=dataset.version,
        changes=[change.document() for change in edits],
    )


def may_approve(dataset: Dataset, actor: Account) -> bool:
    """Nobody judges their own dataset, unless there is no other curator."""
    return not access.may_edit(dataset, actor) or accounts.count_curators() == 1


def return_(dataset: Dataset, *, actor: Account, note: str) -> Dataset:
    """Give a dataset back to its submitter, with the remark that says why."""
    remark = text_rules.prose(note)
    if not remark:
        text, field = "Say what the submitter is to mend.", "Say what is to be mended."
        raise errors.Invalid(say("return_reason", text), fields={"note": say("return_note_missing", field)})
    transitions.advance(dataset, "return", actor=actor)
    history.record("return", actor=actor, dataset=dataset, note=remark, after={"version": dataset.version})
    _finish_decision(dataset, "returned", remark, actor)
    files.note_bag(dataset)
    return dataset


def _finish_decision(dataset: Dataset, template: str, remark: str, actor: Account) -> None:
    """After a decision: add its remark to the thread, mail the submitter all unread remarks, and note that the curator
    has seen the dataset as it is."""
    if remark:
        remarks.add(dataset, remark, actor=actor, decision="approve" if template == "approved" else "return")
    others = [other for other in remarks.unmailed(dataset, own=False) if not other.turn]
    mail_submitter(
        dataset, template, note=remark, curator=actor.name, url=f"/deposit/{dataset.id}", remarks=remarks.lines(others)
    )
    remarks.mark_mailed(dataset, own=False)
    mark_seen(dataset, actor=actor)


def record_view(dataset: Dataset, *, actor: Account) -> Look:
    """Record that somebody sees a dataset as it is now. `since_id` stays for the time of a visit, so that loading the
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
    """Take the marks of what is new to this curator away."""
    seen = record_view(dataset, actor=actor)
    seen.since_id = seen.event_id
    db.session.flush()
    return seen


def mail_submitter(dataset: Dataset, template: str, *, url: str = "", **values: object) -> None:
    """Mail the submitter and who edits with them about a move of the dataset, once for each."""
    db.session.flush()
    key = f"{template}:{dataset.id}:{dataset.version}:{dataset.updated_at}"
    for own_key, person in editors.mailed(dataset, key):
        notifications.send(
            own_key,
            to=person.email,
            template=template,
            name=person.name,
            title=dataset.title,
            accession=dataset.accession,
            access=dataset.access,
            release_date=dataset.release_date,
            url=url or f"/datasets/{dataset.accession}",
            **values,
        )
