"""The day an upload came, corrected by a curator: what was carried over from elsewhere counts from its first receipt.
Reports show the corrected day; the history keeps both."""

from datetime import date

from sqlalchemy import update

from portal import clock, config, db, errors
from portal.domain.shared import history, text_rules
from portal.messages import say
from portal.models import Account, File, Upload


def correct(upload: Upload, typed: str, *, note: str, actor: Account) -> None:
    """Set the day of receipt. Only of what a file claims: anything else would expire by its new day."""
    before, after = upload.received_at, _moment(typed)
    if before is None:
        raise errors.Conflict(say("upload_not_whole", "This upload has not arrived whole."))
    claimed = db.session.query(File.id).filter(File.upload_id == upload.id).first()
    if claimed is None:
        raise errors.Conflict(
            say("upload_unclaimed", "No dataset claims this upload, so its day is the one that it came.")
        )
    zone = config.settings().timezone
    days = [clock.day_of(moment, zone).isoformat() for moment in (before, after)]
    if days[0] == days[1]:
        return
    upload.received_at = after
    db.change(update(File).where(File.upload_id == upload.id).values(updated_at=clock.now()))
    history.record(
        "upload.date",
        actor=actor,
        upload=upload,
        before={"received": days[0]},
        after={"received": days[1]},
        note=text_rules.line(note),
    )


def _moment(typed: str) -> int:
    """The begin of a day in the zone of the site."""
    zone = config.settings().timezone
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError as error:
        raise errors.Invalid(fields={"received": say("receipt_day_format", "Write a day as 2026-11-20.")}) from error
    if day.year < 1980 or day > clock.today(zone):
        raise errors.Invalid(fields={"received": say("receipt_day_range", "It came on a day between 1980 and today.")})
    return clock.midnight(day, zone)
