"""What an inspection of uploads found, written down. A fault is told and never keeps an upload from being archived.

An upload that nobody looked into yet tells so itself: its `inspection` is empty. Small ones are looked into together by
one job, the survey; a large one is owed a job of its own.
"""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, bindparam, delete, insert, select, update
from sqlalchemy.orm import aliased

from portal import clock, db, errors, states, storage
from portal.domain.files import sample_counts
from portal.domain.permissions import access
from portal.domain.shared import history, job_queue
from portal.inspection import Member as Found
from portal.inspection import Report, says
from portal.models import Account, Dataset, File, Member, Upload
from portal.models.uploads import NEW

SMALL = 8 << 20
BATCH, BATCH_BYTES = 200, 64 << 20
AT_ONCE, FEW = 5_000, 25
OURS = "We could not look into it; the fault is ours, and the operator was told."
ASK_EVERY = 1.0
STANDING = (states.RECEIVED, states.CHECKING, states.ARCHIVED)
_asked: tuple[Engine | None, float] = (None, 0.0)


@dataclass(frozen=True)
class Target:
    """An upload to look into, as it was recorded."""

    id: int
    account_id: int
    center_id: int
    realm: str
    token: str
    name: str
    area: str
    size: int
    md5: str | None
    sha256: str | None
    inode: int | None
    mtime_ns: int | None
    fence: int

    @property
    def facts(self) -> storage.Facts:
        return storage.Facts(self.inode or 0, self.size, self.mtime_ns or 0)


@dataclass(frozen=True)
class Result:
    """What was found. `gone`: the bytes had no name any more when they were read through; they may be archived."""

    target: Target
    report: Report
    gone: bool = False


_COLUMNS = (
    Upload.id,
    Upload.account_id,
    Upload.center_id,
    Upload.realm,
    Upload.token,
    Upload.name,
    Upload.area,
    Upload.size,
    Upload.md5,
    Upload.sha256,
    Upload.inode,
    Upload.mtime_ns,
    Upload.fence,
)


def ask() -> None:
    """Something new arrived: enqueue the survey. Asked at most once a second by a process; the survey comes again later
    than that as long as it finds anything, so nothing is passed over."""
    global _asked
    engine, moment = db.engine(), time.monotonic()
    if _asked[0] is engine and moment - _asked[1] < ASK_EVERY:
        return
    job_queue.enqueue("survey", key="survey", priority=6)
    _asked = (engine, moment)


def plan() -> None:
    """What an ended process never asked for."""
    if db.session.scalar(select(Upload.id).where(NEW, Upload.sha256.is_not(None)).limit(1)) is not None:
        job_queue.enqueue("survey", key="survey", priority=6)


def small() -> list[Target]:
    """The next uploads to look into together. What is still digested waits for that."""
    query = select(*_COLUMNS).where(NEW, Upload.size <= SMALL, Upload.sha256.is_not(None))
    found: list[Target] = []
    size = 0
    for row in db.session.execute(query.order_by(Upload.id).limit(BATCH)):
        size += row.size
        if found and size > BATCH_BYTES:
            break
        found.append(Target(**row._mapping))
    return found


def large() -> list[int]:
    query = select(Upload.id).where(NEW, Upload.size > SMALL, Upload.sha256.is_not(None))
    return list(db.session.scalars(query.order_by(Upload.id).limit(BATCH)))


def enqueue(upload_ids: list[int]) -> None:
    """Give uploads a job each. Nobody is rung: the clock of the worker finds them."""
    for upload_id in upload_ids:
        mine = update(Upload).where(Upload.id == upload_id, Upload.inspection.is_(None))
        if db.change(mine.values(inspection=states.OWED)) == 1:
            job_queue.enqueue("inspect", upload_id=upload_id, priority=7, delay=1)


def target(upload_id: int) -> Target | None:
    query = select(*_COLUMNS).where(Upload.id == upload_id, Upload.state.in_(STANDING))
    row = db.session.execute(query).first()
    return Target(**row._mapping) if row else None


def archived_at(upload_id: int) -> str | None:
    """Where the bytes of an upload lie once they are archived."""
    query = (
        select(Dataset.realm, Dataset.accession, File.archive_path)
        .join(File, File.dataset_id == Dataset.id)
        .where(File.upload_id == upload_id, File.archive_path.is_not(None), Dataset.accession.is_not(None))
    )
    row = db.session.execute(query).first()
    return str(storage.archived_path(row.realm, row.accession, row.archive_path)) if row else None


def readable(upload_id: int, *, actor: Account) -> Upload:
    """An upload whose inspection the actor may read: their own, or one of a dataset they review. Raises NotFound."""
    upload = db.session.get(Upload, upload_id)
    if upload is None or (upload.account_id != actor.id and not _is_reviewed(upload_id, actor)):
        raise errors.NotFound("There is no upload of this number.")
    return upload


def _is_reviewed(upload_id: int, actor: Account) -> bool:
    query = select(Dataset).join(File, File.dataset_id == Dataset.id).where(File.upload_id == upload_id)
    dataset = db.session.scalars(query).first()
    return dataset is not None and access.may_review(dataset, actor)


def clear_members(*upload_ids: int) -> None:
    db.change(delete(Member).where(Member.upload_id.in_(upload_ids)))


def add_members(upload_id: int, members: list[Found], *, first: int) -> None:
    """Write some of very many members; they show once the result is recorded."""
    _insert_members(_rows_of(upload_id, members, first))


def _rows_of(upload_id: int, members: list[Found], first: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "upload_id": upload_id,
            "n": first + at,
            "name": one.name,
            "size": one.size,
            "md5": one.md5,
            "file_type": one.file_type,
            "error": one.error,
        }
        for at, one in enumerate(members)
    ]


def _insert_members(rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.connection().execute(insert(Member), rows)


def record(results: list[Result]) -> None:
    """Write what was found, for each upload that still is what was looked into. May run twice. Where members are many
    they were written before."""
    standing = _standing([one.target for one in results])
    counted = [one for one in results if one.target.id in standing]
    earlier = _earlier([one.target for one in counted])
    rows = [_row(one, standing[one.target.id], earlier) for one in counted]
    if not rows:
        return
    few = [one for one in counted if len(one.report.members) <= FEW]
    clear_members(*(one.target.id for one in few))
    _insert_members([row for one in few for row in _rows_of(one.target.id, one.report.members)])
    mine = update(Upload).where(Upload.id == bindparam("row"), Upload.fence == bindparam("round"))
    db.session.connection().execute(
        mine.values(
            file_type=bindparam("kind"),
            error=bindparam("word"),
            detail=bindparam("says"),
            inspection=bindparam("how"),
            inspected_at=clock.now(),
            member_count=bindparam("count"),
        ),
        rows,
    )
    history.append_all(
        "inspect",
        [
            {
                "upload_id": row["row"],
                "center_id": one.target.center_id,
                "after": {"file_type": row["kind"], "error": row["word"], "members": row["count"]},
            }
            for row, one in zip(rows, counted, strict=True)
        ],
    )
    sample_counts.prefill([row["row"] for row in rows if row["count"]])


def _row(one: Result, state: str, earlier: dict[int, int]) -> dict[str, Any]:
    report, mine = one.report, one.target
    word, cause = report.error, report.cause
    if one.gone and state != states.ARCHIVED:
        word, cause = "file_changed_during_copy", ""
    first = earlier.get(mine.id, mine.id)
    if word is None and first < mine.id:
        word, cause = f"duplicate_to_upload_{first}", f"The same bytes arrived before, as upload {first}."
    told = [says(word, cause)] if word else []
    how = states.UNCHECKED if report.unchecked else states.INSPECTED
    return {
        "row": mine.id,
        "round": mine.fence,
        "kind": report.file_type,
        "word": word,
        "how": how,
        "says": " ".join([*told, report.unchecked]).strip(),
        "count": len(report.members),
    }


def _standing(targets: list[Target]) -> dict[int, str]:
    """Those that were neither replaced nor resumed meanwhile, with their state."""
    fences = {one.id: one.fence for one in targets}
    query = select(Upload.id, Upload.fence, Upload.state).where(Upload.id.in_(fences), Upload.state.in_(STANDING))
    return {row.id: row.state for row in db.session.execute(query) if fences[row.id] == row.fence}


def _earlier(targets: list[Target]) -> dict[int, int]:
    """For each upload the first one of its center with the same bytes. The index of MD5s ends at the first; expressions
    keep those of states out, which would walk over all uploads of a center."""
    first = aliased(Upload)
    same = (
        select(first.id)
        .where(
            first.md5 == Upload.md5,
            first.sha256 + "" == Upload.sha256,
            first.size == Upload.size,
            first.center_id + 0 == Upload.center_id,
            first.area + "" == "incoming",
            (first.state + "").in_((*STANDING, states.FAILED)),
        )
        .order_by(first.id)
        .limit(1)
        .scalar_subquery()
    )
    ids = [one.id for one in targets if one.size and one.sha256 and one.area == "incoming"]
    found = db.session.execute(select(Upload.id, same).where(Upload.id.in_(ids))) if ids else ()
    return {row[0]: row[1] for row in found if row[1] is not None}


def give_up(upload_id: int) -> None:
    """It could not be looked into, and will not be tried again."""
    mine = update(Upload).where(Upload.id == upload_id, Upload.state.in_(STANDING))
    db.change(mine.values(inspection=states.UNCHECKED, inspected_at=clock.now(), detail=OURS))
