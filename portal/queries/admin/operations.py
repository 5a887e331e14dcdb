"""Reads for the operator's pages: mails and jobs, newest first, paged by id."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import func, select

from portal import config, db, states
from portal.models import Dataset, Job, Mail

PAGE = 100
Model = TypeVar("Model", Job, Mail)
JOB_STATES = (states.FAILED, states.RUNNING, states.QUEUED, states.DONE, states.CANCELLED)
MAIL_STATES = ("queued", "failed", "sent")


def counts(model: type[Job] | type[Mail]) -> dict[str, int]:
    """How many rows stand in each state."""
    return {state: n for state, n in db.session.execute(select(model.state, func.count()).group_by(model.state))}


def mails(*, state: str = "", before: int = 0) -> tuple[Sequence[Mail], int | None]:
    return _page(Mail, state, before)


def jobs(*, state: str = "", before: int = 0) -> tuple[Sequence[Job], int | None]:
    return _page(Job, state, before)


def subjects(rows: Sequence[Job]) -> dict[int, Dataset]:
    """The datasets that jobs work on, by their id."""
    ids = {job.dataset_id for job in rows if job.dataset_id}
    query = select(Dataset).where(Dataset.id.in_(ids))
    return {dataset.id: dataset for dataset in db.session.scalars(query).unique()} if ids else {}


def _page(model: type[Model], state: str, before: int) -> tuple[Sequence[Model], int | None]:
    """One page, newest first, and the id before which the next begins; None on the last."""
    query = select(model).order_by(model.id.desc()).limit(PAGE + 1)
    if state:
        query = query.where(model.state == state)
    if before:
        query = query.where(model.id < before)
    rows = db.session.scalars(query).all()
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def shows_body(mail: Mail) -> bool:
    """Whether curators may read a mail: not one that went out by SMTP with a link that signs in."""
    private = mail.key.startswith(("reset:", "verify:"))
    return not (private and mail.state == "sent" and config.settings().mail_url)
