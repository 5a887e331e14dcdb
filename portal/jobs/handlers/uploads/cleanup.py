"""Expiry of unused uploads, and the sweeping of rows that nobody asks for any more."""

from sqlalchemy import ColumnElement, delete, select

from portal import clock, db, states, storage
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.domain.uploads import expiry, resumable, uploads
from portal.jobs.handlers.handler import Progress
from portal.models import Job, Once, Throttle, Token, WireFault

BATCH = 2_000


def expire(lease: Lease, progress: Progress) -> None:
    """Uploads that were never finished or never used within the days of the settings."""
    with db.transaction():
        resumable.sweep()
    while True:
        progress.check()
        with db.transaction():
            job_queue.check_lease(lease)
            if not expiry.expire(limit=200):
                job_queue.finish(lease)
                return


def cut(lease: Lease, progress: Progress) -> None:
    """Receptions that no process serves any more are incomplete, with what there is of them."""
    with db.reading():
        silent = uploads.silent()
    lengths = {}
    for row in silent:
        progress.check()
        facts = storage.facts(storage.area_path(row.realm, row.account_id, row.token))
        lengths[row.id] = facts.size if facts else 0
    with db.transaction():
        job_queue.check_lease(lease)
        for row in uploads.silent():
            if row.id in lengths:
                uploads.set_cut(row, length=lengths[row.id], reason="the server stopped while it was received")
        job_queue.finish(lease)


def prune(lease: Lease, progress: Progress) -> None:
    now = clock.now()
    old = (
        (Job, Job.state.in_((states.DONE, states.CANCELLED)), Job.ended_at < now - 30 * clock.DAY),
        (Once, Once.at < now - 7 * clock.DAY),
        (Throttle, Throttle.since < now - clock.DAY),
        (Token, Token.expires_at < now - 30 * clock.DAY),
        (WireFault, WireFault.at < now - 90 * clock.DAY),
    )
    for model, *conditions in old:
        while _prune_some(model, conditions):
            progress.check()
    with db.transaction():
        job_queue.finish(lease)


def _prune_some(model: type[db.Base], conditions: list[ColumnElement[bool]]) -> bool:
    """Remove some rows; whether there may be more."""
    key = next(iter(model.__mapper__.primary_key))
    with db.transaction():
        keys = list(db.session.scalars(select(key).where(*conditions).limit(BATCH)))
        db.session.execute(delete(model).where(key.in_(keys)).execution_options(synchronize_session=False))
    return len(keys) == BATCH
