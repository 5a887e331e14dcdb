"""Revisions: texts that change when a page would, so that a poll costs a few index reads. Each has the newest event and
the progress of running work, and the hour, so that what turns overdue or delayed by itself shows too."""

from sqlalchemy import ColumnElement, func, or_, select

from portal import clock, db, states
from portal.domain.permissions import access
from portal.models import Account, Dataset, Editor, Event, File, Job, Unclaimed, Upload, WireFault


def of_dataset(dataset: Dataset) -> str:
    """Changes when a file, an action, a job of the dataset or an upload of its editors moves, and when something new
    lies in their drop boxes, which it may be offered."""
    mine = or_(
        Job.dataset_id == dataset.id,
        Job.upload_id.in_(select(File.upload_id).where(File.upload_id == Job.upload_id, File.dataset_id == dataset.id)),
    )
    people = access.editors(dataset)
    newest = select(func.max(Unclaimed.upload_id)).where(Unclaimed.account_id.in_(people), Unclaimed.area == "incoming")
    boxed = db.session.scalar(newest) if dataset.state in states.OPEN_DATASETS else 0
    return _join(_newest(Event.dataset_id == dataset.id), boxed, *_working(mine), *_arriving(*people))


def of_account(account: Account) -> str:
    """Changes with everything of the account's center and of what is shared with it, and when its uploads or jobs go
    on."""
    newest = _newest(Event.center_id == account.center_id)
    invited = select(Editor.dataset_id).where(Editor.email == account.email)
    shared = db.session.scalar(select(func.max(Event.id)).where(Event.dataset_id.in_(invited)))
    fault = db.session.scalar(select(func.max(WireFault.at)).where(WireFault.account_id == account.id))
    return _join(newest, shared, fault, *_working(_of_account(account.id)), *_arriving(account.id))


def of_all() -> str:
    """For curators: any event at all."""
    return _join(_newest())


def _newest(*scope: ColumnElement[bool]) -> int:
    query = select(Event.id).where(*scope).order_by(Event.id.desc()).limit(1)
    return int(db.session.scalar(query) or 0)


def _of_account(account_id: int) -> ColumnElement[bool]:
    """The running jobs are few; whose they are is looked up for each by its key."""
    datasets = select(Dataset.id).where(Dataset.id == Job.dataset_id, access.editable_by(account_id))
    uploads = select(Upload.id).where(Upload.id == Job.upload_id, Upload.account_id == account_id)
    return or_(datasets.exists(), uploads.exists())


def _working(scope: ColumnElement[bool]) -> tuple[int | None, ...]:
    query = select(func.count(), func.sum(Job.done), func.sum(Job.id)).where(Job.state == states.RUNNING, scope)
    return tuple(db.session.execute(query).one())


def _arriving(*account_ids: int) -> tuple[int | None, ...]:
    query = select(func.count(), func.sum(Upload.bytes_done)).where(
        Upload.account_id.in_(account_ids), Upload.state == states.RECEIVING
    )
    return tuple(db.session.execute(query).one())


def _join(*parts: int | None) -> str:
    return ".".join(str(part or 0) for part in (*parts, clock.now() // clock.HOUR))
