"""Lists of the API: datasets, files with their progress, and uploads, each from a key on."""

from dataclasses import dataclass

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import joinedload

from portal import db, states
from portal.domain.permissions import access
from portal.models import Account, Dataset, File, Job, Upload
from portal.queries.datasets import listed
from portal.queries.files import delays
from portal.queries.files.delays import Delays
from portal.queries.files.offers import Offer, offers
from portal.queries.files.waiting import waits_for
from portal.queries.paging import capped_count

MOST_NAMED = 1001


def datasets(
    account: Account, *, after: int, limit: int, state: str = "", text: str = "", needs: bool = False
) -> list[Dataset]:
    """Newest first: one's own and those shared with one, for curators also all that were ever submitted."""
    query = select(Dataset).options(joinedload(Dataset.account), joinedload(Dataset.center))
    mine = access.editable_by(account.id)
    query = query.where(or_(mine, access.SUBMITTED) if account.role == "curator" else mine)
    if state:
        query = query.where(Dataset.state == state)
    if needs:
        query = query.where(mine, listed.needs_owner())
    if after:
        query = query.where(Dataset.id < after)
    query = query.where(*listed.named(text))
    return list(db.session.scalars(query.order_by(Dataset.id.desc()).limit(limit)).unique())


def files(dataset: Dataset, *, after: int, limit: int) -> list[File]:
    """The living files by number."""
    query = select(File).where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), File.n > after)
    return list(db.session.scalars(query.order_by(File.n).limit(limit)).unique())


@dataclass(frozen=True)
class Running:
    """The running jobs of a dataset and of uploads: (done, total) bytes; and what is delayed."""

    archive: tuple[int, int] | None
    digests: dict[int, tuple[int, int]]
    delays: Delays
    waits: dict[int, str]
    offers: dict[int, list[Offer]]

    def progress(self, file: File) -> float | None:
        """Between 0 and 1; None where nothing runs or nobody knows."""
        if file.state == states.ARCHIVED:
            return 1.0
        work = self.digests.get(file.upload_id or 0)
        if work is None and file.state == states.CHECKING:
            work = self.archive
        return round(work[0] / work[1], 4) if work and work[1] else None


def running(dataset: Dataset, shown: list[File]) -> Running:
    """The work that runs on a dataset and its files, and what these of them wait for or are offered."""
    ids = [file.id for file in shown] if len(shown) <= MOST_NAMED else None  # a longer list is cheaper to look up whole
    query = select(Job.done, Job.total).where(
        Job.dataset_id == dataset.id, Job.state == states.RUNNING, Job.kind == "archive"
    )
    archive = db.session.execute(query).first()
    reading = (
        select(Job.upload_id, Job.done, Job.total)
        .join(File, File.upload_id == Job.upload_id)
        .where(Job.state == states.RUNNING, Job.kind == "digest", File.dataset_id == dataset.id)
    )
    digests = {row.upload_id or 0: (row.done, row.total) for row in db.session.execute(reading)}
    return Running(
        (archive.done, archive.total) if archive else None,
        digests,
        delays.of_dataset(dataset),
        waits_for(dataset, ids),
        offers(dataset, ids),
    )


def replaced(file: File) -> int | None:
    """The number of the file that a file is to replace."""
    return db.session.scalar(select(File.n).where(File.id == file.replaces_id)) if file.replaces_id else None


def uploads(
    account: Account, *, after: int, limit: int, state: str = "", realm: str = "", name: str = ""
) -> list[Row[Upload, str | None]]:
    """(Upload, accession or None) of one's own, newest first."""
    query = (
        select(Upload, Dataset.accession)
        .outerjoin(File, File.upload_id == Upload.id)
        .outerjoin(Dataset, Dataset.id == File.dataset_id)
        .where(Upload.account_id == account.id)
    )
    filters = ((Upload.state, state), (Upload.realm, realm), (Upload.name, name))
    chosen = [column == value for column, value in filters if value]
    if state or name:
        places = (Upload.area.in_(("incoming", "test")), Upload.realm.in_(("open", "protected"))) if name else ()
        few = select(Upload.id).where(Upload.account_id == account.id, *places, *chosen)
        query = query if capped_count.count(few).more else query.where(Upload.id.in_(few))
    query = query.where(*chosen)
    if after:
        query = query.where(Upload.id < after)
    return list(db.session.execute(query.order_by(Upload.id.desc()).limit(limit)))


def upload(upload_id: int) -> tuple[Upload, str | None] | None:
    """An upload and the accession of the dataset that claims it, if any."""
    query = (
        select(Upload, Dataset.accession)
        .outerjoin(File, File.upload_id == Upload.id)
        .outerjoin(Dataset, Dataset.id == File.dataset_id)
        .where(Upload.id == upload_id)
    )
    row = db.session.execute(query).first()
    return (row[0], row[1]) if row else None
