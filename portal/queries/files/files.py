"""The files of a dataset as their submitter and curators see them: a page of rows, counts by state, what moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select

from portal import clock, db, inspection, states
from portal.domain.permissions import access
from portal.models import Dataset, File, Job, Upload
from portal.queries.files import waiting
from portal.queries.files.offers import Offer, offers
from portal.queries.files.tallies import GROUPS
from portal.queries.paging import keyset, name_search

PROBLEMS = (states.FAILED, states.ERROR)
VIEWS = ("", "problems", "archived", "work", "received", "waiting", "aside")
_SIZE = func.coalesce(File.size, Upload.size, -1)
MOST_WORDS = 10
SORTS = {"": (File.n,), "name": (File.name, File.n), "size": (_SIZE, File.n)}
INSPECTING = states.Shown("Inspecting", "wait", "inspecting", "grey")
RECEIVING = states.SHOWN_UPLOAD[states.RECEIVING]
DELAYED = states.Shown("Checking, delayed", "warn", "overdue", "grey")


@dataclass(frozen=True)
class Work:
    """Progress of a job or upload in bytes, `rate` in bytes a second. A total of 0 is an unknown one."""

    done: int
    total: int
    rate: int | None
    kind: str = ""  # of the job

    @property
    def percent(self) -> int | None:
        return min(100, self.done * 100 // self.total) if self.total else None

    @property
    def left(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate and self.total > self.done else None


class Commented:
    """A comment on a file or an upload, taken apart: the first sentence is the cause, the rest what to do."""

    @property
    def comment(self) -> str:
        return ""

    @property
    def cause(self) -> str:
        return self.comment.partition(". ")[0].rstrip(".") + "." if self.comment else ""

    @property
    def remedy(self) -> str:
        return self.comment.partition(". ")[2]


@dataclass(frozen=True)
class Row(Commented):
    """A file, the bytes it claims or waits for, and the work on it."""

    file: File
    upload: Upload | None = None
    coming: Upload | None = None
    work: Work | None = None
    stuck: str = ""
    waits_for: str = ""
    replaces: int | None = None
    successor: int | None = None
    offers: Sequence[Offer] = ()

    @property
    def shown(self) -> states.Shown:
        """The pill: a file that only waits tells when its bytes are on their way, a checked one when it takes a day."""
        if self.coming is not None and self.coming.state == states.RECEIVING:
            return RECEIVING
        if self.work is not None and self.work.kind == "inspect":
            return INSPECTING
        if self.checking:
            return DELAYED if self.delayed else states.SHOWN_FILE[states.CHECKING]
        if self.faulty:
            return states.SHOWN_FILE[states.ERROR]
        return states.shown_file(self.file.state, self.file.error)

    @property
    def checking(self) -> bool:
        unread = self.file.state == states.RECEIVED and self.upload is not None and self.upload.md5 is None
        return self.file.state == states.CHECKING or unread

    @property
    def delayed(self) -> bool:
        return self.checking and clock.now() - self.file.updated_at > clock.DAY

    @property
    def size(self) -> int | None:
        return self.file.size if self.file.size is not None else (self.upload.size if self.upload else None)

    @property
    def md5(self) -> str | None:
        return self.file.md5 or (self.upload.md5 if self.upload else None)

    @property
    def need(self) -> bool:
        """Whether the submitter has to do something."""
        return self.file.state in PROBLEMS or self.faulty

    @property
    def faulty(self) -> bool:
        """Whether a fault was found in bytes that are not archived yet: now it is mended easily."""
        word = self.upload.error if self.upload is not None and self.upload.inspection else None
        return self.file.state == states.RECEIVED and word is not None and not inspection.is_hint(word)

    @property
    def word(self) -> str:
        return self.file.error or (self.upload.error if self.upload is not None and self.upload.error else "")

    @property
    def comment(self) -> str:
        """What is said of the file, else what was found in its bytes."""
        return self.file.comment or (self.upload.detail if self.upload is not None and self.upload.inspection else "")


def page(
    dataset: Dataset, *, view: str = "", after: str = "", before: str = "", text: str = "", sort: str = ""
) -> keyset.Page:
    """A hundred files by number, `name` or `size`. `view` is a group of GROUPS or 'problems'; by default all but those
    set aside. `text` is a part of the name or title."""
    columns = SORTS.get(sort, SORTS[""])
    # Numbers alone are sorted, whole rows are many times as much.
    query = select(File.id, File.n)
    query = query.outerjoin(Upload, Upload.id == File.upload_id) if sort == "size" else query
    query = _filtered(query, dataset, view, text)

    def place(cursor: str) -> tuple[Any, ...] | None:
        n = keyset.parse(cursor, 1)
        at = select(*columns).select_from(File).outerjoin(Upload, Upload.id == File.upload_id)
        row = db.session.execute(at.where(File.dataset_id == dataset.id, File.n == n[0])).first() if n else None
        return tuple(row) if row else None

    fetched = keyset.fetch(
        query, columns, lambda row: (row.n,), after=after, before=before, descending=sort == "size", place=place
    )
    whole = {
        file.id: file for file in db.session.scalars(select(File).where(File.id.in_([row.id for row in fetched.rows])))
    }
    return keyset.Page(rows_of([whole[row.id] for row in fetched.rows], dataset), fetched.newer, fetched.older)


def _filtered(query: Select[*tuple[Any, ...]], dataset: Dataset, view: str, text: str) -> Select[*tuple[Any, ...]]:
    query = query.where(File.dataset_id == dataset.id, File.state.in_(_states_of(view)))
    searched = func.lower(File.name + " " + File.title)
    words = text.replace("\0", " ").split()[:MOST_WORDS]
    for word in words:
        query = query.where(or_(*(searched.contains(form, autoescape=True) for form in _forms(word))))
    # A letter of another alphabet may be written in more ways than the index knows.
    plain = [word for word in words if word.isascii() or word.lower() == word.upper()]
    ids = name_search.few(name_search.ids("file_text", File.id, File.dataset_id, dataset.id, plain, []))
    return query if ids is None else query.where(File.id.in_(ids))


def _forms(word: str) -> set[str]:
    """A word as it may be written: SQLite's lower() and LIKE know the case of ASCII letters only."""
    return {word.lower()} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}


def chosen(dataset: Dataset, *, view: str = "", text: str = "", numbers: list[int] | None = None) -> list[int]:
    """The ids of the files that a filter shows on all its pages, or of those with these numbers among them."""
    query = _filtered(select(File.id), dataset, view, text)
    if numbers is not None:
        query = query.where(File.n.in_(numbers[: keyset.PAGE]))
    return list(db.session.scalars(query.order_by(File.n)))


def _states_of(view: str) -> tuple[str, ...]:
    if view in ("problems", "fault"):
        return PROBLEMS
    chosen = tuple(state for state, group in GROUPS.items() if group == view)
    return chosen or tuple(state for state in GROUPS if state not in states.DEAD_FILES)


def rows_of(files: list[File], dataset: Dataset) -> list[Row]:
    coming = _coming(files, dataset)
    works, whole = works_of(dataset.id, [file.upload_id for file in files if file.upload_id])
    alone = sum(file.state == states.CHECKING for file in files) == 1
    replaces, successors = replaced_by(files), _successors(files)
    waits = waiting.waits_for(dataset, [file.id for file in files if file.state == states.WAITING])
    offered = offers(dataset, [file.id for file in files])
    rows = []
    for file in files:
        work = works.get(file.upload_id or 0)
        if work is not None and work.kind == "inspect" and file.state != states.RECEIVED:
            work = None
        if work is None and file.state == states.CHECKING and alone:
            work = whole
        there = coming.get(file.name) or coming.get(file.base) if file.state == states.WAITING else None
        if there is not None and there.state == states.RECEIVING:
            work = Work(there.bytes_done, there.announced or 0, there.rate)
        rows.append(
            Row(
                file,
                file.upload,
                there,
                work,
                _stuck(file) if file.state == states.CHECKING else "",
                waits.get(file.id, waiting.NOT_SENT) if file.state == states.WAITING else "",
                replaces.get(file.id),
                successors.get(file.id),
                offered.get(file.id, ()),
            )
        )
    return rows


def replaced_by(files: list[File]) -> dict[int, int]:
    """The numbers of the files that some of these are to replace, by the id of the new one."""
    ids = [file.replaces_id for file in files if file.replaces_id]
    if not ids:
        return {}
    numbers = {row.id: row.n for row in db.session.execute(select(File.id, File.n).where(File.id.in_(ids)))}
    return {file.id: numbers[file.replaces_id] for file in files if file.replaces_id in numbers}


def _successors(files: list[File]) -> dict[int, int]:
    """The numbers of the files that are to replace some of these, by the id of the old one."""
    query = select(File.replaces_id, File.n).where(File.replaces_id.in_([file.id for file in files]))
    return {old: n for old, n in db.session.execute(query) if old is not None} if files else {}


def _coming(files: list[File], dataset: Dataset) -> dict[str, Upload]:
    """Uploads on their way or cut, under the names that some of these files wait for."""
    bases = {file.base for file in files if file.state == states.WAITING}
    if not bases:
        return {}
    boxed = Upload.account_id.in_(access.editors(dataset)) & Upload.dataset_id.is_(None)
    query = select(Upload).where(
        or_(boxed, Upload.dataset_id == dataset.id),
        Upload.base.in_(bases),
        Upload.area == "incoming",
        Upload.state.in_((states.RECEIVING, states.INCOMPLETE)),
    )
    uploads: dict[str, Upload] = {}
    for upload in db.session.scalars(query.order_by(Upload.state, Upload.id)):
        uploads[upload.base] = uploads[upload.name] = upload
    return uploads


def works_of(dataset_id: int, upload_ids: list[int]) -> tuple[dict[int, Work], Work | None]:
    """The running jobs: by upload, and the one that archives the dataset."""
    by_upload: dict[int, Work] = {}
    whole = None
    for job in db.session.scalars(select(Job).where(Job.state == states.RUNNING)):
        work = Work(job.done, job.total, job.rate, job.kind)
        if job.upload_id in upload_ids:
            by_upload[job.upload_id] = work
        elif job.dataset_id == dataset_id and job.kind == "archive":
            whole = work
    return by_upload, whole


def _stuck(file: File) -> str:
    """Why a file has been checked for more than a day, as its job says."""
    if clock.now() - file.updated_at <= clock.DAY:
        return ""
    query = select(Job.error).where(Job.dataset_id == file.dataset_id, Job.kind == "archive").order_by(Job.id.desc())
    return db.session.scalar(query.limit(1)) or ""


def moves(dataset: Dataset, counted: dict[str, int]) -> bool:
    """Whether something of a dataset is on its way: bytes that arrive, a job that is owed or runs."""
    owed = select(Job.id).where(Job.dataset_id == dataset.id, Job.state.in_((states.QUEUED, states.RUNNING)))
    arriving = select(Upload.id).where(Upload.account_id.in_(access.editors(dataset)), Upload.state == states.RECEIVING)
    digesting = (
        select(Job.id)
        .join(File, File.upload_id == Job.upload_id)
        .where(File.dataset_id == dataset.id, Job.state.in_((states.QUEUED, states.RUNNING)))
    )
    return bool(counted.get("work")) or any(db.session.scalar(query.limit(1)) for query in (arriving, owed, digesting))
