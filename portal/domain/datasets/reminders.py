"""Mails that come by themselves: a dataset waits long for a curator or for its submitter, or was changed after a
curator looked. Each has a key of what it tells, so that a round that runs twice sends nothing twice."""

from sqlalchemy import ColumnElement, exists, or_, select

from portal import clock, db, states
from portal.config import settings
from portal.domain.accounts import editors
from portal.domain.datasets import remarks
from portal.domain.permissions import access
from portal.domain.shared import changes, notifications
from portal.models import Account, Dataset, Event, Look

AT_ONCE = 200  # the rest is told in the next minute
RETURNED_DAYS = 30
RETURNED_MOST = 6  # after half a year of silence there is nothing to add


def remind() -> None:
    """Mail whoever a dataset waits for, curators or its submitter, once in each period, and who edits with them."""
    period = settings().review_remind_days * clock.DAY
    if not period:
        return
    for dataset in _waiting(states.SUBMITTED, Dataset.submitted_at <= clock.now() - period):
        waited = clock.now() - (dataset.submitted_at or 0)
        key = f"waits:{dataset.id}:{dataset.submitted_at}:{waited // period}"
        for curator in remarks.concerned(dataset):
            _send(f"{key}:{curator.id}", "waits", dataset, curator, f"/review/{dataset.accession}", waited)
    period = RETURNED_DAYS * clock.DAY
    for dataset in _waiting(states.RETURNED, Dataset.updated_at <= clock.now() - period):
        waited = clock.now() - dataset.updated_at
        if waited // period <= RETURNED_MOST:
            key = f"returned_waits:{dataset.id}:{dataset.updated_at}:{waited // period}"
            for own_key, person in editors.mailed(dataset, key):
                _send(own_key, "returned_waits", dataset, person, f"/deposit/{dataset.accession}", waited)


def _waiting(state: str, since: ColumnElement[bool]) -> list[Dataset]:
    """Datasets in a state that fulfil a condition of time and whose submitter may sign in."""
    query = (
        select(Dataset)
        .join(Account, Account.id == Dataset.account_id)
        .where(Dataset.state == state, Dataset.accession.is_not(None), Account.state == "active", since)
    )
    return list(db.session.scalars(query.order_by(Dataset.id)))


def _send(key: str, template: str, dataset: Dataset, to: Account, url: str, waited: int) -> None:
    notifications.send(
        key,
        to=to.email,
        template=template,
        name=to.name,
        title=dataset.title,
        accession=dataset.accession,
        who=dataset.account.name,
        version=dataset.version,
        days=waited // clock.DAY,
        url=url,
    )


def mail_edits() -> None:
    """Mail each curator whose dataset was changed since they looked at it: once, until they look again."""
    newer = exists().where(
        Event.dataset_id == Look.dataset_id,
        Event.id > Look.event_id,
        access.editable_by(Event.actor_id),
        Event.action.in_(changes.EDITS),
    )
    query = (
        select(Look, Dataset, Account)
        .join(Dataset, Dataset.id == Look.dataset_id)
        .join(Account, Account.id == Look.account_id)
        .where(
            Dataset.state == states.SUBMITTED,
            Account.state == "active",
            Account.role == "curator",
            ~access.editable_by(Account.id),
            newer,
            or_(Look.told_id.is_(None), Look.told_id != Look.event_id),
        )
        .limit(AT_ONCE)
    )
    for look, dataset, curator in db.session.execute(query).unique():
        _mail_edits(look, dataset, curator)
    db.session.flush()


def _mail_edits(look: Look, dataset: Dataset, curator: Account) -> None:
    edits = [change.document() for change in changes.since(dataset, look.event_id)]
    notifications.send(
        f"edited:{dataset.id}:{curator.id}:{look.event_id}",
        to=curator.email,
        template="edited",
        name=curator.name,
        title=dataset.title,
        accession=dataset.accession,
        version=dataset.version,
        who=dataset.account.name,
        seen=look.version,
        changes=edits[:20],
        more=len(edits) - 20,
        url=f"/review/{dataset.accession}",
    )
    look.told_id = look.event_id
