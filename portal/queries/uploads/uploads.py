"""What one account uploaded: its area, what nobody claims yet, and what went wrong on the wire."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy import Row as Joined
from sqlalchemy.orm import lazyload

from portal import clock, db, inspection, states
from portal.domain.shared import companions
from portal.domain.uploads import expiry
from portal.models import Account, Dataset, File, Job, Unclaimed, Upload, WireFault
from portal.queries.files.files import INSPECTING, Commented, Work
from portal.queries.paging import capped_count, keyset

CHECKED = states.Shown("Checked", "ok", "checked", "green", hollow=True)


@dataclass(frozen=True)
class Row(Commented):
    """An upload, and the file and dataset that claim it."""

    upload: Upload
    file: File | None
    dataset: Dataset | None
    work: Work | None = None
    kind: str = ""  # of the job that works on it

    @property
    def shown(self) -> states.Shown:
        """The pill: what works on it, else how the file stands that claims it, else the upload itself."""
        if self.kind:
            return INSPECTING if self.kind == "inspect" else states.SHOWN_UPLOAD[states.CHECKING]
        if self.faulty and (self.file is None or self.file.state == states.RECEIVED):
            return states.SHOWN_FILE[states.ERROR]
        if self.upload.area == "test" and self.upload.state == states.RECEIVED and self.upload.md5:
            return CHECKED
        if self.file is not None and self.upload.state not in (states.RECEIVING, states.INCOMPLETE):
            return states.shown_file(self.file.state, self.file.error)
        return states.SHOWN_UPLOAD[self.upload.state]

    @property
    def comment(self) -> str:
        """What is said of its file, else what was found in its bytes."""
        return (self.file.comment if self.file else "") or self.upload.detail

    @property
    def faulty(self) -> bool:
        """Whether a fault was found in bytes that are not archived yet: now it is mended easily."""
        word = self.upload.error
        return self.upload.state == states.RECEIVED and word is not None and not inspection.is_hint(word)

    @property
    def frozen(self) -> bool:
        """Whether nothing can be done with it here: it arrives, or belongs to a dataset."""
        return self.upload.state in (states.RECEIVING, *states.FROZEN) or self.file is not None

    @property
    def expires(self) -> int | None:
        """When it is removed unless it is finished or claimed."""
        return None if self.file is not None else expiry.end_of(self.upload)

    @property
    def need(self) -> bool:
        stuck = self.upload.state in (states.INCOMPLETE, states.FAILED) or bool(self.file and self.file.error)
        return stuck or self.faulty


def _query() -> Select[*tuple[Any, ...]]:
    return (
        select(Upload, File, Dataset)
        .outerjoin(File, File.upload_id == Upload.id)
        .outerjoin(Dataset, Dataset.id == File.dataset_id)
        .options(lazyload(File.upload))
    )


def row_of(joined: Joined[*tuple[Any, ...]], job: Job | None = None) -> Row:
    upload, file, dataset = joined
    if upload.state == states.RECEIVING:
        return Row(upload, file, dataset, Work(upload.bytes_done, upload.announced or 0, upload.rate))
    if job is not None:
        return Row(upload, file, dataset, Work(job.done, job.total, job.rate), job.kind)
    return Row(upload, file, dataset)


def rows_of(ids: list[int]) -> list[Row]:
    """The uploads of a page, with what works on them now."""
    working = select(Job).where(Job.state == states.RUNNING, Job.kind.in_(("digest", "inspect")))
    jobs = {job.upload_id: job for job in db.session.scalars(working)} if ids else {}
    rows = []
    for start in range(0, len(ids), 500):
        some = _query().where(Upload.id.in_(ids[start : start + 500]))
        rows += [row_of(row, jobs.get(row[0].id)) for row in db.session.execute(some).unique()]
    return rows


def _unclaimed(dataset: Dataset, sender: Account, folder: str) -> list[ColumnElement[bool]]:
    conditions = [Unclaimed.account_id == sender.id, Unclaimed.area == "incoming"]
    if folder.strip("/"):
        name = folder.strip("/")
        conditions += [Unclaimed.folder >= f"{name}/", Unclaimed.folder < f"{name}0"]
    return conditions if dataset.access == "controlled" else [*conditions, Unclaimed.realm == "open"]


def unclaimed(dataset: Dataset, sender: Account, *, folder: str = "") -> Select[*tuple[Any, ...]]:
    """Query of the uploads of somebody that a dataset may take: whole, in a realm that fits, of no dataset, and no
    companions."""
    data = (Upload.dataset_id.is_(None), ~companions.among(Upload.base))
    query = select(Upload).join(Unclaimed, Unclaimed.upload_id == Upload.id)
    return query.where(*_unclaimed(dataset, sender, folder), *data)


def unclaimed_count(dataset: Dataset, sender: Account, *, folder: str = "") -> capped_count.Count:
    """Number of unclaimed uploads."""
    return capped_count.count(unclaimed(dataset, sender, folder=folder).with_only_columns(Unclaimed.upload_id))


def choice(dataset: Dataset, sender: Account, *, folder: str = "", after: str = "", before: str = "") -> keyset.Page:
    page = keyset.fetch(
        unclaimed(dataset, sender, folder=folder),
        (Unclaimed.upload_id,),
        lambda row: (row[0].id,),
        after=after,
        before=before,
    )
    return keyset.Page([row[0] for row in page.rows], page.newer, page.older)


def chosen(dataset: Dataset, sender: Account, ids: list[int] | None, *, folder: str = "") -> list[Upload]:
    """The uploads that were ticked, or all of a folder; what somebody claimed meanwhile is not among them."""
    query = unclaimed(dataset, sender, folder=folder if ids is None else "").order_by(Upload.id)
    if ids is None:
        return list(db.session.scalars(query))
    uploads: list[Upload] = []
    for start in range(0, len(ids), 500):
        uploads += db.session.scalars(query.where(Upload.id.in_(ids[start : start + 500])))
    return uploads


def folders(dataset: Dataset, sender: Account, *, limit: int = 500) -> list[str]:
    """The folders that something to choose lies in, for a filter: found by leaping from one to the next."""
    here = _unclaimed(dataset, sender, "")
    first = select(func.min(Unclaimed.folder).label("folder")).where(*here, Unclaimed.folder > "").cte(recursive=True)
    following = select(func.min(Unclaimed.folder)).where(*here, Unclaimed.folder > first.c.folder).scalar_subquery()
    every = first.union_all(select(following).where(first.c.folder.is_not(None)))
    return [folder for folder in db.session.scalars(select(every.c.folder).limit(limit)) if folder]


def ftp_faults(account: Account, *, days: int = 3, limit: int = 5) -> list[WireFault]:
    """What went wrong between the account's client and the FTP server lately."""
    since = clock.now() - days * clock.DAY
    query = select(WireFault).where(WireFault.account_id == account.id, WireFault.at > since)
    return list(db.session.scalars(query.order_by(WireFault.at.desc()).limit(limit)))
