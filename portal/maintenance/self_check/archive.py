"""The archive and its database: the library below, what was read again, what should be open, and the last upkeep."""

from collections.abc import Iterator

from sqlalchemy import func, select

from portal import clock, db, states
from portal.config import settings
from portal.domain.datasets import releases as opening
from portal.maintenance.self_check.finding import BAD, OK, WARN, Finding, some, span
from portal.models import Event, File

LATE = 2  # days a reading may be over its time
UPKEEP = (
    ("site.backup", "Backup of the database", "omix backup PATH", 2),
    ("site.fsck", "Comparison of catalogue and disk", "omix fsck", 35),
)


def database() -> Iterator[Finding]:
    if db.is_sqlite() and not db.wal_is_safe():
        yield Finding(
            WARN,
            f"{db.version()} has a fault in its fast journal; the slow one is in use.",
            "`make install` brings a library without it.",
        )
    else:
        yield Finding(OK, db.version())


def fixity() -> Iterator[Finding]:
    counted = select(File.fixity, func.count()).where(File.state == states.ARCHIVED).group_by(File.fixity)
    numbers = {verdict or "": number for verdict, number in db.session.execute(counted)}
    oldest = db.session.scalar(select(func.min(File.fixity_at)).where(File.state == states.ARCHIVED))
    age = clock.now() - (oldest if oldest is not None else clock.now())
    if numbers.get("bad"):
        yield Finding(
            BAD, f"{some(numbers['bad'], 'archived file')} damaged.", "`omix fixity` names them; restore them."
        )
    if numbers.get("unknown"):
        yield Finding(
            WARN, f"{some(numbers['unknown'], 'archived file')} could not be read.", "See the disk of the archive."
        )
    if age > (settings().fixity_days + LATE) * clock.DAY:
        yield Finding(
            WARN,
            f"An archived file was last read {span(age)} ago, more than OMIX_FIXITY_DAYS.",
            "The worker does not keep up: see Admin > Jobs.",
        )
    elif not (numbers.get("bad") or numbers.get("unknown")):
        yield Finding(OK, f"{some(sum(numbers.values()), 'archived file')}, the oldest reading {span(age)} ago.")


def releases() -> Iterator[Finding]:
    late = [dataset.accession for dataset in opening.due() if opening.obstacles(dataset)]
    if late:
        more = f" and {len(late) - 5} more" if len(late) > 5 else ""
        yield Finding(
            WARN,
            f"Overdue: {', '.join(str(accession) for accession in late[:5])}{more}.",
            "Their pages list what stands in the way; they open by themselves.",
        )
    else:
        yield Finding(OK, "Nothing is overdue.")


def upkeep() -> Iterator[Finding]:
    """What an operator does, by the history."""
    for action, name, command, days in UPKEEP:
        last = db.session.scalars(
            select(Event).where(Event.action == action).order_by(Event.id.desc()).limit(1)
        ).first()
        if last is None:
            yield Finding(WARN, f"{name}: never yet.", f"Let a timer call `{command}`.")
            continue
        says = f"{name}: {span(clock.now() - last.at)} ago"
        findings = (last.after or {}).get("findings", 0)
        if findings:
            yield Finding(BAD, f"{says}, with {some(findings, 'finding')}.", f"Run `{command}` and mend what it names.")
        elif clock.now() - last.at > days * clock.DAY:
            yield Finding(WARN, f"{says}.", f"Let a timer call `{command}`.")
        else:
            yield Finding(OK, f"{says}.")
