"""The rhythm of the batch reports: which are due on which day, under which names, and the rows of what was written."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, exists, func, or_, select, update

from portal import clock, db, states
from portal.config import settings
from portal.domain.shared import job_queue
from portal.models import Center, Component, Counter, Dataset, Event, Job, Report, Upload

PUBLIC_KEY = "report:public"
# The marker of a day that is done: every center has a usage report, the mirror its Accessions.
DAILY, PUBLIC_DAILY = "usage", "accessions"
# What happened that older dumps must not show any longer.
RECALLED = ("withdraw", "unpublish")
LOOKED = "reports:recalled"
AT_ONCE = 100


@dataclass(frozen=True)
class Order:
    """What one run is to write for a center, or without one for the public mirror."""

    center_id: int | None
    day: str
    slug: str
    upto_event: int
    metadata: bool
    metadata_full: bool
    files: bool
    files_full: bool

    @property
    def folder(self) -> Path:
        return folder(self.center_id)

    def name(self, kind: str, *, full: bool = False) -> str:
        """OMIX_Metadata_Full_Northmere-Institute_20261121.tar.gz"""
        parts = [settings().prefix, kind.capitalize(), "Full" if full else "", self.slug, self.day.replace("-", "")]
        return "_".join(filter(None, parts)) + (".tar.gz" if kind == "metadata" else ".gz")

    def seen(self, kind: str) -> str:
        """Where it is noted what the report of this day said."""
        return f".{kind}-{self.day}.seen"


def folder(center_id: int | None, *, protected: bool = False) -> Path:
    """Where the reports of a center lie, as its FTP home shows them; without a center the mirror's."""
    if center_id is None:
        return settings().instance / "outgoing-public"
    return settings().instance / ("outgoing-protected" if protected else "outgoing") / str(center_id) / "Files"


def slug(name: str) -> str:
    """A center in a file name: ASCII, words joined by hyphens, because underscores part the name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.")[:60]


def due_day() -> date:
    """The day whose reports should be there by now: today's from the set hour on."""
    now = datetime.fromtimestamp(clock.now() / 1000, settings().zone)
    return now.date() if now.hour >= settings().report_hour else now.date() - timedelta(days=1)


def plan() -> None:
    """Owe the reports that are due and were not made, whether it is their hour or the box was down then; and those of
    centers where something was taken back since."""
    day = due_day().isoformat()
    made = select(Report.center_id).where(Report.kind == DAILY, Report.day >= day, Report.center_id.is_not(None))
    waiting = list(
        db.session.scalars(select(Center.id).where(Center.id.not_in(made)).order_by(Center.id).limit(AT_ONCE))
    )
    is_public = exists().where(Report.center_id.is_(None), Report.kind == PUBLIC_DAILY, Report.day >= day)
    recalled = _recalled()
    keys = [f"report:{center_id}" for center_id in dict.fromkeys([*recalled, *waiting])]
    if recalled or not db.session.scalar(select(is_public)):
        keys.append(PUBLIC_KEY)
    for key in keys:
        if not _is_tried(key):
            job_queue.enqueue("report", key=key, priority=8)


def _is_tried(key: str) -> bool:
    """Owed already, or given up within the hour."""
    tried = or_(
        Job.state.in_((states.QUEUED, states.RUNNING)),
        (Job.state == states.FAILED) & (Job.ended_at > clock.now() - clock.HOUR),
    )
    return db.session.scalar(select(Job.id).where(Job.key == key, Job.kind == "report", tried).limit(1)) is not None


def _recalled() -> list[int]:
    """Centers of which something was withdrawn or unpublished since this was asked last."""
    counter = db.session.get(Counter, LOOKED)
    if counter is None:
        db.session.add(Counter(name=LOOKED, next=last_event()))
        return []
    query = select(Event.id, Event.center_id).where(Event.action.in_(RECALLED), Event.id > counter.next)
    rows = list(db.session.execute(query.order_by(Event.id).limit(AT_ONCE)))
    if rows:
        counter.next = rows[-1].id
    return list(dict.fromkeys(row.center_id for row in rows if row.center_id))


def last_event() -> int:
    return int(db.session.scalar(select(func.max(Event.id))) or 0)


def center_of(lease: job_queue.Lease) -> int | None:
    """The center that a job is for; None for the public mirror."""
    key = db.session.scalar(select(Job.key).where(Job.id == lease.id)) or PUBLIC_KEY
    return None if key == PUBLIC_KEY else int(key.partition(":")[2])


def order(center_id: int | None) -> Order | None:
    """What is due now; None where all is done."""
    day = due_day()
    center = db.session.get(Center, center_id) if center_id is not None else None
    if center_id is not None and center is None:
        return None
    is_new_day = not _has(center_id, DAILY if center else PUBLIC_DAILY, day)
    recalled = _is_recalled(center_id)
    if not is_new_day and not recalled:
        return None
    has_uploads = center is not None and is_new_day and _has_uploads(center.id)
    return Order(
        center_id,
        day.isoformat(),
        (slug(center.name) or f"center-{center.id}") if center else "",
        last_event(),
        _has_objects(center_id),
        recalled or not _has(center_id, "metadata", day.replace(day=1), full=True),
        has_uploads,
        has_uploads and not _has(center_id, "files", day.replace(day=1), full=True),
    )


def _of(center_id: int | None) -> ColumnElement[bool]:
    return Report.center_id == center_id if center_id is not None else Report.center_id.is_(None)


def _has(center_id: int | None, kind: str, day: date, *, full: bool = False) -> bool:
    """Whether there is a report of that day or a later one."""
    query = select(Report.id).where(
        _of(center_id), Report.kind == kind, Report.full == full, Report.day >= day.isoformat()
    )
    return db.session.scalar(query.limit(1)) is not None


def _is_recalled(center_id: int | None) -> bool:
    last = db.session.scalar(select(func.max(Report.upto_event)).where(_of(center_id)))
    query = select(Event.id).where(Event.action.in_(RECALLED), Event.id > (last or 0))
    if center_id is not None:
        query = query.where(Event.center_id == center_id)
    return last is not None and db.session.scalar(query.limit(1)) is not None


def _has_objects(center_id: int | None) -> bool:
    """Whether there is anything to tell of; what once was is told of for good."""
    if center_id is None:
        return True
    mine = (Dataset.center_id == center_id, Dataset.accession.is_not(None))
    if db.session.scalar(select(Dataset.id).where(*mine).limit(1)) is not None:
        return True
    return db.session.scalar(select(Component.id).where(Component.center_id == center_id).limit(1)) is not None


def _has_uploads(center_id: int) -> bool:
    return db.session.scalar(select(Upload.id).where(Upload.center_id == center_id).limit(1)) is not None


def base(center_id: int | None, kind: str, day: str) -> Path | None:
    """What the last increment before this day noted; None for the first. A full report of a quiet day notes nothing."""
    earlier = (Report.kind == kind, Report.full.is_(False), Report.day < day)
    query = select(func.max(Report.day)).where(_of(center_id), *earlier)
    last = db.session.scalar(query)
    return folder(center_id) / f".{kind}-{last}.seen" if last else None


def record(done: Order, kind: str, path: Path, *, full: bool = False) -> None:
    """Write down a report that lies whole on disk; one a day and kind."""
    values = {
        "path": str(path.relative_to(settings().instance)),
        "size": path.stat().st_size,
        "upto_event": done.upto_event,
        "made_at": clock.now(),
    }
    same = (_of(done.center_id), Report.kind == kind, Report.day == done.day, Report.full == full)
    if db.change(update(Report).where(*same).values(**values)) == 0:
        db.session.add(Report(center_id=done.center_id, kind=kind, day=done.day, full=full, **values))
        db.session.flush()


def prune(done: Order, *, recalled: bool = False) -> list[Path]:
    """Forget reports that are too old, and dumps that show what was taken back; the paths to remove after the commit.
    The newest of a kind, full and not, are kept however old they are: the next increment is compared with the last."""
    oldest = (date.fromisoformat(done.day) - timedelta(days=settings().report_days)).isoformat()
    rows = list(db.session.scalars(select(Report).where(_of(done.center_id)).order_by(Report.day.desc())))
    kept, seen, gone = set(), set(), []
    for row in rows:
        is_newest = (row.kind, row.full) not in seen
        seen.add((row.kind, row.full))
        # Each of these is one file that is written anew every day.
        is_old = row.day < done.day if row.kind in ("usage", "usage_protected", "accessions") else row.day < oldest
        is_closed = recalled and row.kind == "metadata" and row.day < done.day
        if (is_old and not is_newest) or is_closed:
            gone.append(settings().instance / row.path)
            db.session.delete(row)
        else:
            kept.add(settings().instance / row.path)
    db.session.flush()
    return [path for path in gone if path not in kept]


def stale_notes(done: Order) -> list[Path]:
    """Notes of what earlier reports said that nobody compares with any more: the last two of a kind are kept, so that
    the reports of a day can be made again."""
    stale = []
    for kind in ("metadata", "files"):
        notes = sorted(done.folder.glob(f".{kind}-*.seen"))
        stale += notes[:-2]
    return stale
