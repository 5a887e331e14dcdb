"""Reads of batch reports: those that were written, and whose a person may have."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal import clock, db, errors
from portal.config import settings
from portal.messages import say
from portal.models import Account, Center, Report

NO_SUCH_REPORT = say("no_such_report", "There is no such report.")
PAGE = 50


def center_for(actor: Account, name: str = "") -> Center:
    """One's own center; for curators any. Raises NotFound for the others."""
    if not name or name == actor.center.name:
        return actor.center
    center = db.session.scalar(select(Center).where(Center.name == name)) if actor.is_curator else None
    if center is None:
        raise errors.NotFound(
            say("no_such_center_reports", "There is no center {name} whose reports you may have.", name=name)
        )
    return center


def written(center_id: int | None, *, before: int = 0, limit: int = 1000) -> list[Report]:
    """The reports of a center that are there, newest first; without a center those of the mirror."""
    whose = Report.center_id == center_id if center_id is not None else Report.center_id.is_(None)
    query = select(Report).where(whose)
    if before:
        query = query.where(Report.id < before)
    return list(db.session.scalars(query.order_by(Report.id.desc()).limit(limit)))


def page(center_id: int | None, before: int) -> dict[str, Any]:
    """A page of them: `found`, what it began before, and where the next one begins."""
    rows = written(center_id, before=before, limit=PAGE + 1)
    return {"found": rows[:PAGE], "before": before, "older": rows[PAGE - 1].id if len(rows) > PAGE else 0}


def stored(
    center_id: int | None, kind: str, *, name: str = "", day: str = "", full: bool = False
) -> tuple[Report, Path]:
    """A report by its name or day, and where it lies. Raises NotFound."""
    for report in written(center_id):
        by_name = name and report.name == name
        by_day = day and report.day == day and report.full == full
        path = settings().instance / report.path
        if report.kind == kind and (by_name or by_day) and path.is_file():
            return report, path
    raise errors.NotFound(NO_SUCH_REPORT)


def last_dump(center_id: int, day: str) -> Path:
    """The metadata report in which the accessions of a day stand: its own, or the last before it on quiet days.
    Raises NotFound."""
    earlier = [report for report in written(center_id) if report.kind == "metadata" and report.day <= day]
    if not earlier:
        raise errors.NotFound(NO_SUCH_REPORT)
    latest = max(earlier, key=lambda report: report.day)
    return stored(center_id, "metadata", name=latest.name)[1]


def kind_of(center_id: int | None, name: str) -> str:
    """Of which kind the report of a name is. Raises NotFound."""
    for report in written(center_id):
        if report.name == name:
            return report.kind
    raise errors.NotFound(NO_SUCH_REPORT)


def moment(text: str) -> int:
    """A day in the site's zone or a moment, as ms. Raises Invalid."""
    if not text:
        return 0
    try:
        if len(text) == 10:
            return clock.midnight(date.fromisoformat(text), settings().timezone)
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=settings().zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise errors.Invalid(
            say("day_format", "{day} is no day, such as {today}.", day=text, today=clock.today(settings().timezone))
        ) from None
