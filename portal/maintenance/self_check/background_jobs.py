"""The worker and what it owes: rounds that come by, jobs that wait or failed, mails that did not leave."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import func, select

from portal import clock, db, states
from portal.config import settings
from portal.domain.datasets import failed_work
from portal.domain.files import accessions
from portal.domain.shared import job_queue
from portal.maintenance.self_check.finding import BAD, OK, WARN, Finding, some, span
from portal.models import Dataset, File, Job, Mail, Upload
from portal.queries.admin import operations
from portal.queries.files import delays

SHOWN = 20  # of the jobs that failed for good
SLOW, STUCK = 15 * clock.MINUTE, 2 * clock.HOUR


def worker() -> Iterator[Finding]:
    """By the round it makes every minute, told of in the database."""
    silent = job_queue.silence()
    if silent is None:
        yield Finding(BAD, "The worker never ran on this instance.", "Start `omix up`, or `omix worker`.")
        return
    if silent > job_queue.MOST_SILENT:
        yield Finding(BAD, f"The worker made its last round {span(silent)} ago.", "See whether it runs; the log says.")
    else:
        yield Finding(OK, "The worker makes its rounds.")


def jobs() -> Iterator[Finding]:
    counts, now = operations.counts(Job), clock.now()
    failed, queued = counts.get(states.FAILED, 0), counts.get(states.QUEUED, 0)
    due = select(func.min(Job.not_before)).where(Job.state == states.QUEUED)
    lost = select(func.min(Job.lease_until)).where(Job.state == states.RUNNING)
    since = min(db.session.scalar(due) or now, db.session.scalar(lost) or now)
    yield from _failed_work()
    if failed:
        yield Finding(WARN, f"{some(failed, 'job')} failed for good.", "Admin > Jobs says why and runs them again.")
    if now - since > SLOW:
        yield Finding(
            BAD if now - since > STUCK else WARN,
            f"Work that is due has waited {span(now - since)}.",
            "The worker is down, or has more to do than it can: see OMIX_JOB_THREADS.",
        )
    elif not failed:
        yield Finding(OK, f"No job failed; {queued:,} wait and {counts.get(states.RUNNING, 0):,} run.")


def _failed_work() -> Iterator[Finding]:
    """What something waits for, each with its cause."""
    for work in failed_work.everywhere(limit=SHOWN):
        yield Finding(BAD, f"{work.subject}: {work.message}", "See Admin > Jobs, or `omix job again`.")


def checks() -> Iterator[Finding]:
    """Files that are checked for more than a day; their owners read "delayed" and whom to ask."""
    before = clock.now() - delays.LONG
    slow = (
        select(File.name, Dataset.accession, File.n)
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(
            Dataset.state.in_((states.SUBMITTED, states.APPROVED)),
            File.state == states.CHECKING,
            File.updated_at < before,
        )
    )
    unread = (
        select(Upload.name, Upload.id)
        .join(Job, Job.upload_id == Upload.id)
        .where(
            Job.kind == "digest",
            Job.state.in_((states.QUEUED, states.RUNNING)),
            Upload.md5.is_(None),
            Upload.received_at < before,
        )
    )
    files, uploads = (db.session.execute(query.limit(1000)).all() for query in (slow, unread))
    named = [accessions.of_file(row.accession, row.n) for row in files] + [f"upload {row.id}" for row in uploads]
    if named:
        count = f"{'at least ' if len(named) >= 1000 else ''}{some(len(named), 'file')}"
        yield Finding(
            BAD,
            f"{count} checked for more than a day, such as {named[0]}.",
            "Their owners read that it is delayed. Admin > Jobs says what their work waits for.",
        )
    else:
        yield Finding(OK, "No file has been checked for more than a day.")


def mails() -> Iterator[Finding]:
    counts, late = operations.counts(Mail), clock.now() - clock.HOUR
    if not settings().mail_url:
        yield Finding(
            WARN,
            "No mail server is set: mails are written into the outbox folder of the instance.",
            "Set OMIX_MAIL_URL, then Admin > Outbox > Send test mail.",
        )
    elif is_overheard(settings().mail_url):
        yield Finding(
            WARN,
            "The password of the mail server crosses the network as it is.",
            "Use smtps://, or smtp:// with ?starttls=1.",
        )
    if counts.get("failed"):
        yield Finding(WARN, f"{some(counts['failed'], 'mail')} could not be delivered.", "Admin > Outbox says why.")
    stuck = select(func.count()).select_from(Mail).where(Mail.state == "queued", Mail.created_at < late)
    waiting = db.session.scalar(stuck) or 0
    if waiting:
        yield Finding(
            BAD,
            f"{some(waiting, 'mail')} on the way for more than an hour. {_last_error()}".strip(),
            "Check the mail server and OMIX_MAIL_URL.",
        )
    elif settings().mail_url and not counts.get("failed"):
        yield Finding(OK, f"{some(counts.get('sent', 0), 'mail')} went out, {counts.get('queued', 0):,} on the way.")


def is_overheard(mail_url: str) -> bool:
    """Whether a password is sent without encryption to another machine."""
    parts = urlsplit(mail_url)
    plain = parts.scheme == "smtp" and parse_qs(parts.query).get("starttls", ["0"])[0] != "1"
    return bool(parts.password) and plain and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _last_error() -> str:
    waits = select(Mail.error).where(Mail.state == "queued", Mail.error != "").order_by(Mail.id.desc())
    return db.session.scalar(waits.limit(1)) or ""
