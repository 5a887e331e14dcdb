"""Periodic tasks: releases that are due, the reading of the archive, expiry, the sweeping of old rows."""

from collections.abc import Callable

from portal import clock
from portal.config import settings
from portal.domain.access_requests import decisions
from portal.domain.archive import fixity
from portal.domain.datasets import failed_work, releases, reminders
from portal.domain.files import inspection_results
from portal.domain.reports import schedule
from portal.domain.shared import job_queue, search_index, trusted_clock
from portal.domain.uploads import expiry, uploads
from portal.domain.webhooks import deliveries


def enqueue_releases() -> None:
    """Everything asked for or overdue, whenever it became so. What could not be opened is tried again after a day."""
    for dataset in releases.due():
        if releases.is_wanted(dataset) and not job_queue.gave_up("release", dataset.id):
            releases.enqueue(dataset)


def enqueue_cuts() -> None:
    """Uploads whose process was killed while others went on."""
    if uploads.silent():
        job_queue.enqueue("cut", key="cut", priority=6)


def enqueue_watch() -> None:
    """Ask for papers once a day, where the site may go out."""
    if settings().europepmc_url:
        job_queue.enqueue("watch", key="watch", priority=8)


def enqueue_expiry() -> None:
    job_queue.enqueue("expire", key="expire", priority=8)


def enqueue_prune() -> None:
    job_queue.enqueue("prune", key="prune", priority=8)


def enqueue_selfcheck() -> None:
    """A little later: at the first start of a site the doors do not stand yet."""
    job_queue.enqueue("selfcheck", key="selfcheck", priority=8, delay=10 * clock.MINUTE)


# name, period in ms, what is done (inside a short transaction)
PERIODIC_TASKS: tuple[tuple[str, int, Callable[[], object]], ...] = (
    ("clock", clock.MINUTE, trusted_clock.check),
    ("release", clock.MINUTE, enqueue_releases),
    ("webhooks", 5_000, deliveries.plan),
    ("remind", clock.HOUR, releases.remind),
    ("edits", clock.MINUTE, reminders.mail_edits),
    ("failed", clock.MINUTE, failed_work.mail),
    ("waits", clock.HOUR, reminders.remind),
    ("grants", clock.MINUTE, decisions.end_due),
    ("requests", clock.HOUR, decisions.remind),
    ("cut", 5 * clock.MINUTE, enqueue_cuts),
    ("survey", clock.MINUTE, inspection_results.enqueue_missed_survey),
    ("names", 10_000, search_index.take_in),
    ("fixity", clock.HOUR, fixity.plan),
    ("expiring", clock.DAY, expiry.warn),
    ("expire", clock.DAY, enqueue_expiry),
    ("watch", clock.DAY, enqueue_watch),
    ("prune", clock.DAY, enqueue_prune),
    ("selfcheck", clock.DAY, enqueue_selfcheck),
    ("reports", clock.MINUTE, schedule.plan),
)
# What goes by the date and cannot be taken back waits while the clock is in doubt.
BY_DATE = frozenset({"remind", "waits", "grants", "requests", "expiring", "expire", "prune", "reports"})
