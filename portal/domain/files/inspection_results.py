"""Inspections of uploads (file type, faults, members of packages): what is due, and their results written down. A fault
is told and never keeps an upload from being archived.

The `inspection` of an upload that was not inspected yet is empty. Small ones are inspected together by one job, the
survey; a large one has a job of its own.
"""

import time
from dataclasses import dataclass

from sqlalchemy import Engine, bindparam, delete, insert, select, update
from sqlalchemy.orm import aliased

from portal import clock, db, errors, states, storage
from portal.domain.files import sample_counts
from portal.domain.permissions import access
from portal.domain.shared import history, job_queue
from portal.inspection import Member as PackageMember
from portal.inspection import Report, says
from portal.messages import say
from portal.models import Account, Dataset, File, Member, Upload
from portal.models.uploads import NEW

SMALL = 8 << 20
BATCH, BATCH_BYTES = 200, 64 << 20
MEMBERS_AT_ONCE, FEW_MEMBERS = 5_000, 25
UNINSPECTED = "We could not look into it; the fault is ours, and the operator was told."
SURVEY_EVERY = 1.0  # seconds
INSPECTABLE = (states.RECEIVED, states.CHECKING, states.ARCHIVED)
# The engine (a process may change it) and the moment by time.monotonic() of the last call that enqueued the survey.
_last_survey: tuple[Engine | None, float] = (None, 0.0)
_FIRST = aliased(Upload)


@dataclass(frozen=True)
class Target:
    """An upload to inspect, as it was recorded."""

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
    """The outcome of an inspection. `gone`: the bytes had no name any more when they were read through; they may be
    archived."""

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


def enqueue_survey() -> None:
    """Enqueue the job that inspects small new uploads, at most once a second by a process. As long as the job finds
    anything it runs again later than that, so nothing is passed over."""
    global _last_survey
    engine, moment = db.engine(), time.monotonic()
    if _last_survey[0] is engine and moment - _last_survey[1] < SURVEY_EVERY:
        return
    job_queue.enqueue("survey", key="survey", priority=6)
    _last_survey = (engine, moment)


def enqueue_missed_survey() -> None:
    """Enqueue the survey for uploads of a process that ended before it did."""
    if db.session.scalar(select(Upload.id).where(NEW, Upload.sha256.is_not(None)).limit(1)) is not None:
        job_queue.enqueue("survey", key="survey", priority=6)


def small() -> list[Target]:
    """The next new uploads to inspect together, one batch of bounded bytes. Those without a digest come later."""
    query = select(*_COLUMNS).where(NEW, Upload.size <= SMALL, Upload.sha256.is_not(None))
    targets: list[Target] = []
    size = 0
    for row in db.session.execute(query.order_by(Upload.id).limit(BATCH)):
        size += row.size
        if targets and size > BATCH_BYTES:
            break
        targets.append(Target(**row._mapping))
    return targets


def large() -> list[int]:
    """The ids of the next new uploads that get a job of their own."""
    query = select(Upload.id).where(NEW, Upload.size > SMALL, Upload.sha256.is_not(None))
    return list(db.session.scalars(query.order_by(Upload.id).limit(BATCH)))


def enqueue(upload_ids: list[int]) -> None:
    """Enqueue an inspection for each of these uploads. No worker is woken: they are no hurry."""
    for upload_id in upload_ids:
        mine = update(Upload).where(Upload.id == upload_id, Upload.inspection.is_(None))
        if db.change(mine.values(inspection=states.OWED)) == 1:
            job_queue.enqueue("inspect", upload_id=upload_id, priority=7, delay=1)


def target(upload_id: int) -> Target | None:
    """What to inspect of an upload; None where its bytes are gone."""
    query = select(*_COLUMNS).where(Upload.id == upload_id, Upload.state.in_(INSPECTABLE))
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
        raise errors.NotFound(say("upload_unknown", "There is no upload of this number."))
    return upload


def _is_reviewed(upload_id: int, actor: Account) -> bool:
    query = select(Dataset).join(File, File.dataset_id == Dataset.id).where(File.upload_id == upload_id)
    dataset = db.session.scalars(query).first()
    return dataset is not None and access.may_review(dataset, actor)


def clear_members(*upload_ids: int) -> None:
    """Delete the members that an earlier inspection wrote."""
    db.change(delete(Member).where(Member.upload_id.in_(upload_ids)))


def add_members(upload_id: int, members: list[PackageMember], *, first: int) -> None:
    """Write some of very many members; they show once the result is recorded."""
    _insert_members(_rows_of(upload_id, members, first))


def _rows_of(upload_id: int, members: list[PackageMember], first: int = 1) -> list[dict[str, object]]:
    return [
        {
            "upload_id": upload_id,
            "n": first + at,
            "name": member.name,
            "size": member.size,
            "md5": member.md5,
            "file_type": member.file_type,
            "error": member.error,
        }
        for at, member in enumerate(members)
    ]


def _insert_members(rows: list[dict[str, object]]) -> None:
    if rows:
        db.session.connection().execute(insert(Member), rows)


def record(results: list[Result]) -> None:
    """Write results of inspections, for each upload that was not replaced or resumed meanwhile. May run twice. Many
    members were written before by add_members()."""
    states_by_id = _states_of([result.target for result in results])
    counted = [result for result in results if result.target.id in states_by_id]
    earlier = _earlier([result.target for result in counted])
    rows = [_row(result, states_by_id[result.target.id], earlier) for result in counted]
    if not rows:
        return
    few = [result for result in counted if len(result.report.members) <= FEW_MEMBERS]
    clear_members(*(result.target.id for result in few))
    _insert_members([row for result in few for row in _rows_of(result.target.id, result.report.members)])
    statement = update(Upload).where(Upload.id == bindparam("row"), Upload.fence == bindparam("round"))
    db.session.connection().execute(
        statement.values(
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
                "center_id": result.target.center_id,
                "after": {"file_type": row["kind"], "error": row["word"], "members": row["count"]},
            }
            for row, result in zip(rows, counted, strict=True)
        ],
    )
    sample_counts.prefill([result.target.id for row, result in zip(rows, counted, strict=True) if row["count"]])


def _row(result: Result, state: str, earlier: dict[int, int]) -> dict[str, object]:
    report, upload = result.report, result.target
    word, cause = report.error, report.cause
    if result.gone and state != states.ARCHIVED:
        word, cause = "file_changed_during_copy", ""
    first = earlier.get(upload.id, upload.id)
    if word is None and first < upload.id:
        word, cause = f"duplicate_to_upload_{first}", f"The same bytes arrived before, as upload {first}."
    sentences = [says(word, cause)] if word else []
    how = states.UNCHECKED if report.unchecked else states.INSPECTED
    return {
        "row": upload.id,
        "round": upload.fence,
        "kind": report.file_type,
        "word": word,
        "how": how,
        "says": " ".join([*sentences, report.unchecked]).strip(),
        "count": len(report.members),
    }


def _states_of(targets: list[Target]) -> dict[int, str]:
    """The state of each upload, by its id, that was neither replaced nor resumed meanwhile."""
    fences = {target.id: target.fence for target in targets}
    query = select(Upload.id, Upload.fence, Upload.state).where(Upload.id.in_(fences), Upload.state.in_(INSPECTABLE))
    return {row.id: row.state for row in db.session.execute(query) if fences[row.id] == row.fence}


def _earlier(targets: list[Target]) -> dict[int, int]:
    """For each upload the first one of its center with the same bytes. The index of MD5s ends at the first; expressions
    keep those of states out, which would walk over all uploads of a center."""
    same = (
        select(_FIRST.id)
        .where(
            _FIRST.md5 == Upload.md5,
            _FIRST.sha256 + "" == Upload.sha256,
            _FIRST.size == Upload.size,
            _FIRST.center_id + 0 == Upload.center_id,
            _FIRST.area + "" == "incoming",
            (_FIRST.state + "").in_((*INSPECTABLE, states.FAILED)),
        )
        .order_by(_FIRST.id)
        .limit(1)
        .scalar_subquery()
    )
    ids = [target.id for target in targets if target.size and target.sha256 and target.area == "incoming"]
    rows = db.session.execute(select(Upload.id, same).where(Upload.id.in_(ids))) if ids else ()
    return {row[0]: row[1] for row in rows if row[1] is not None}


def give_up(upload_id: int) -> None:
    """Mark an upload as not inspected for good, after the last attempt failed."""
    mine = update(Upload).where(Upload.id == upload_id, Upload.state.in_(INSPECTABLE))
    db.change(mine.values(inspection=states.UNCHECKED, inspected_at=clock.now(), detail=UNINSPECTED))
