"""Released datasets as readers see them: found by words, page by page, with their files and sums."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text
from sqlalchemy.orm import joinedload

from portal import db, states
from portal.models import Dataset, DownloadDay, File, FileTally, Member
from portal.queries.paging import keyset

RARE = 2000
RANGE = 50_000
# Word by word the conditions of the indexes ix_file_read and ix_file_bad.
ARCHIVED = text("file.state = 'archived'")
BAD = text("file.state = 'archived' AND file.fixity = 'bad'")


@dataclass(frozen=True)
class Sum:
    """How many files, and their bytes."""

    files: int = 0
    size: int = 0


def matching(*, words: str = "", access: str = "", data_type: str = "") -> Select[Dataset]:
    """Released datasets with all of the words in their search text. Rare words are found by an index, and common ones
    soon enough by looking at the newest first."""
    query = select(Dataset).where(Dataset.state == states.RELEASED)
    terms = words.replace("\0", " ").lower().split()[:10]
    ids = db.text_matches("dataset_text", terms, most=RARE) if terms else None
    if ids is not None:
        query = query.where(Dataset.id.in_(ids))
    for word in terms:
        plain = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = query.where(Dataset.search_text.like(f"%{plain}%", escape="\\"))
    if access in ("open", "controlled"):
        query = query.where(Dataset.access == access)
    return query.where(Dataset.data_type == data_type) if data_type else query


def page(query: Select[Dataset], *, after: str = "", before: str = "", limit: int = 50) -> keyset.Page:
    """The newest releases first."""
    query = query.options(joinedload(Dataset.center))
    columns = (Dataset.released_at, Dataset.id)
    return keyset.fetch(
        query, columns, lambda row: (row[0].released_at, row[0].id), after=after, before=before, limit=limit
    )


@dataclass(frozen=True)
class Range:
    """Released datasets whose ids fall into the n-th fifty thousand, and when the last of them changed."""

    n: int
    count: int
    updated_at: int


def ranges() -> list[Range]:
    n = (Dataset.id // RANGE).label("n")
    query = select(n, func.count(), func.max(Dataset.updated_at)).where(Dataset.state == states.RELEASED)
    return [Range(*row) for row in db.session.execute(query.group_by(n).order_by(n))]


def in_range(n: int) -> list[tuple[str, int]]:
    """Accession and last change of each."""
    query = select(Dataset.accession, Dataset.updated_at).where(
        Dataset.state == states.RELEASED, Dataset.id >= n * RANGE, Dataset.id < (n + 1) * RANGE
    )
    return [(row[0] or "", row[1]) for row in db.session.execute(query.order_by(Dataset.id))]


def sums(datasets: list[Dataset]) -> dict[int, Sum]:
    query = select(FileTally.dataset_id, FileTally.number, FileTally.bytes).where(
        FileTally.dataset_id.in_([dataset.id for dataset in datasets]),
        FileTally.state == states.ARCHIVED,
        FileTally.number > 0,
    )
    return {row[0]: Sum(row[1], row[2]) for row in db.session.execute(query)}


def _archived(since: int | None = None) -> ColumnElement[bool]:
    """Condition of the archived files; with `since` also of those archived until that moment that left later."""
    if since is None:
        return File.state == states.ARCHIVED
    left = and_(File.state.in_(states.DEAD_FILES), File.archived_at <= since, File.updated_at > since)
    return or_(File.state == states.ARCHIVED, left)


def sum_without(dataset: Dataset, numbers: frozenset[int], since: int) -> tuple[Sum, int]:
    """The files that were archived at a moment, but those of these numbers, and how many of them equal their declared
    MD5."""
    columns = (File.n, File.size, File.declared_md5 == File.md5)
    query = select(*columns).where(File.dataset_id == dataset.id, _archived(since))
    kept = [(size or 0, bool(equal)) for n, size, equal in db.session.execute(query) if n not in numbers]
    return Sum(len(kept), sum(size for size, _equal in kept)), sum(equal for _size, equal in kept)


def counted(dataset: Dataset) -> list[tuple[str, int]]:
    """What the archived files hold by the word of their submitter: (samples or files, how many)."""
    query = select(File.unit, func.sum(File.samples)).where(
        File.dataset_id == dataset.id, File.state == states.ARCHIVED, File.samples.is_not(None)
    )
    return [(unit, int(number)) for unit, number in db.session.execute(query.group_by(File.unit)) if number]


MEMBERS_SHOWN = 100


def members(files: list[File]) -> dict[int, tuple[int, list[Member]]]:
    """By file that is a package the number of its members and the first hundred of them, as they were read through."""
    packages = {
        file.upload.id: file.id
        for file in files
        if file.upload is not None and file.upload.member_count and file.upload.inspected_at is not None
    }
    counts = {file.id: file.upload.member_count or 0 for file in files if file.upload is not None}
    query = select(Member).where(Member.upload_id.in_(packages), Member.n <= MEMBERS_SHOWN)
    found: dict[int, list[Member]] = {}
    for member in db.session.scalars(query.order_by(Member.upload_id, Member.n)) if packages else ():
        found.setdefault(packages[member.upload_id], []).append(member)
    return {file_id: (counts[file_id], listed) for file_id, listed in found.items()}


def compared(dataset: Dataset) -> int:
    """Number of archived files whose MD5 equals the declared one."""
    query = (
        select(func.count())
        .select_from(File)
        .where(File.dataset_id == dataset.id, File.state == states.ARCHIVED, File.declared_md5 == File.md5)
    )
    return int(db.session.scalar(query) or 0)


def files(dataset: Dataset, *, after: str = "", before: str = "", since: int | None = None) -> keyset.Page:
    """The archived files by number; with `since` as they were at that moment, whatever left later."""
    query = select(File).where(File.dataset_id == dataset.id, _archived(since))
    return keyset.fetch(query, (File.n,), lambda row: (row[0].n,), after=after, before=before, descending=False)


def file_named(dataset: Dataset, name: str) -> File | None:
    query = select(File).where(File.dataset_id == dataset.id, File.state == states.ARCHIVED, File.name == name)
    return db.session.scalars(query).first()


@dataclass(frozen=True)
class Packed:
    """A file as a zip of the whole needs it."""

    n: int
    name: str
    size: int
    sha256: str
    archive_path: str
    fixity: str | None


def packed(dataset: Dataset, first: int) -> list[Packed]:
    """The archived files from a number on."""
    columns = (File.n, File.name, File.size, File.sha256, File.archive_path, File.fixity)
    query = select(*columns).where(File.dataset_id == dataset.id, File.state == states.ARCHIVED, File.n >= first)
    return [
        Packed(n, name, size or 0, sha256 or "", path or "", fixity)
        for n, name, size, sha256, path, fixity in db.session.execute(query.order_by(File.n))
    ]


def digests(dataset: Dataset) -> list[tuple[str, str]]:
    """(MD5, name) of every archived file."""
    query = select(File.md5, File.name).where(File.dataset_id == dataset.id, File.state == states.ARCHIVED)
    return [(row[0] or "", row[1]) for row in db.session.execute(query.order_by(File.n))]


def fixity(dataset: Dataset) -> tuple[int | None, int]:
    """(when the file read longest ago was read, number of damaged files)"""
    query = select(func.min(File.fixity_at)).where(File.dataset_id == dataset.id, ARCHIVED)
    bad = select(func.count()).where(File.dataset_id == dataset.id, BAD)
    return db.session.scalar(query), int(db.session.scalar(bad) or 0)


def downloads(dataset: Dataset) -> Sum:
    query = select(func.sum(DownloadDay.files), func.sum(DownloadDay.bytes)).where(DownloadDay.dataset_id == dataset.id)
    row = db.session.execute(query).one()
    return Sum(row[0] or 0, row[1] or 0)


def facets() -> tuple[dict[str, int], dict[str, int]]:
    """Number of released datasets by access, and by the twelve commonest data types; one scan of an index."""
    kinds = (Dataset.access, Dataset.data_type)
    query = select(*kinds, func.count()).where(Dataset.state == states.RELEASED).group_by(*kinds)
    accesses: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for access, data_type, number in db.session.execute(query):
        accesses[access] += number
        types[data_type] += number
    return dict(accesses), dict(types.most_common(12))
