"""What is looked at beforehand, for the submitter before Submit and for the curator before deciding: each finding is an
error, a warning or a hint with a sentence and the field it is mended at. Nothing here stops a submission but what
datasets.missing() says."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.datasets import datasets, realms
from portal.domain.permissions import access
from portal.models import Dataset, File, Upload

ERROR, WARNING, HINT = "error", "warning", "hint"
GIB = 1 << 30
SMALL = 1 << 20
PACKAGES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".rar", ".7z")
SMALLER = "packages are better made smaller"
SLOW = "checking takes long, smaller files are better"
ODD_NAMES = (
    "thumbs.db",
    "desktop.ini",
    "untitled%",
    "copy_of%",
    "copy-of%",
    "%.tmp",
    "%.part",
    "%.bak",
    "%.crdownload",
    "%.lnk",
    "%.swp",
)
COMPARED = 5000
FAR_YEARS = 5


@dataclass(frozen=True)
class Finding:
    """`level` is error, warning or hint; `field` a field of the form, or `files`, where `n` may name one file."""

    level: str
    sentence: str
    field: str = ""
    n: int | None = None

    @property
    def anchor(self) -> str:
        """Where it is mended, on the submitter's form and on the curators' page alike."""
        if self.n is not None:
            return f"#file-{self.n}"
        return "#files" if self.field == "files" else f"#f-{self.field}"

    @property
    def tone(self) -> str:
        return {ERROR: "bad", WARNING: "warn", HINT: "info"}[self.level]

    @property
    def icon(self) -> str:
        return "info" if self.level == HINT else "error"


def of(dataset: Dataset, *, reviewing: bool = False) -> list[Finding]:
    """Everything that is found, the gravest first. `reviewing`: what only curators may know is said too."""
    found = [Finding(ERROR, sentence, field) for field, sentence in datasets.missing(dataset).items()]
    found += [*_text(dataset), *_human(dataset), *_realm(dataset), *_date(dataset), *_files(dataset)]
    found += _duplicates(dataset, reviewing=reviewing)
    return sorted(found, key=lambda one: (ERROR, WARNING, HINT).index(one.level))


def _text(dataset: Dataset) -> list[Finding]:
    found = []
    title, description = dataset.title.strip(), dataset.description.strip()
    if title and (len(title) < 15 or len(title.split()) < 3):
        found.append(Finding(WARNING, "The dataset name is very short: say what was measured, in what.", "title"))
    if description and description.lower() == title.lower():
        found.append(Finding(WARNING, "The description only repeats the name.", "description"))
    elif description and len(description) < 60:
        found.append(
            Finding(HINT, "The description is very short for somebody who wants to use the data.", "description")
        )
    return found


def _human(dataset: Dataset) -> list[Finding]:
    species = bool(re.search(r"\bhomo sapiens\b|\bhuman\b", dataset.species, re.IGNORECASE))
    if not (dataset.human or species):
        return []
    found = []
    if not dataset.human:
        found.append(Finding(WARNING, "The species is human, but “human genetic resources” is not ticked.", "human"))
    if dataset.access == "open":
        found.append(Finding(WARNING, "Human data are to be open to everybody.", "access"))
    if not dataset.filing_number:
        found.append(
            Finding(WARNING, "Human data without a filing number; it is recommended, not required.", "filing_number")
        )
    return found


def _realm(dataset: Dataset) -> list[Finding]:
    """Bytes that came by the other area than the access asks for."""
    came = realms.other(realms.wanted(dataset))
    query = (
        select(func.count())
        .select_from(File)
        .join(Upload, Upload.id == File.upload_id)
        .where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), Upload.realm == came)
    )
    number = int(db.session.scalar(query) or 0)
    files = f"{number:,} file{' ' if number == 1 else 's '}"
    if number and came == "protected":
        return [Finding(WARNING, f"{files}came by the protected area and will be open to everybody.", "access")]
    if number:
        says = f"{files}came by the open area. They are archived in the protected one; send controlled data there."
        return [Finding(HINT, says, "access")]
    return []


def _date(dataset: Dataset) -> list[Finding]:
    if not dataset.release_date:
        return [Finding(HINT, "No release date is set; it stays closed until somebody releases it.", "release_date")]
    day, today = date.fromisoformat(dataset.release_date), clock.today(settings().timezone)
    if dataset.state in (states.RELEASED, states.SUPPRESSED, states.WITHDRAWN):
        return []
    if day < today:
        says = f"The release date {day} is past: it opens as soon as it is approved and all its files are archived."
        return [Finding(WARNING, says, "release_date")]
    if day > today + timedelta(days=366 * FAR_YEARS):
        return [Finding(WARNING, f"The release date {day} is more than {FAR_YEARS} years away.", "release_date")]
    return []


_size = func.coalesce(File.size, Upload.size)
_base = func.lower(File.base)
_package = or_(*(_base.like(f"%{ending}") for ending in PACKAGES))
_odd = or_(*(_base.like(pattern.replace("_", r"\_"), escape="\\") for pattern in ODD_NAMES), File.base.not_like("%.%"))
# What is counted in one walk of the files: (level, condition, sentence with {n} of {all} and the first one's name).
_WALK: tuple[tuple[str, ColumnElement[bool], str], ...] = (
    (ERROR, and_(File.error.is_not(None), File.error != "empty_file"), "{n} with a fault: see what to do there"),
    (ERROR, or_(_size == 0, File.error == "empty_file"), "{n} of 0 bytes"),
    (
        WARNING,
        and_(File.error.is_(None), Upload.inspection.is_not(None), Upload.error.not_like("duplicate%")),
        "{n} in which a fault was found: see there what it is",
    ),
    (WARNING, File.state == states.WAITING, "{n} not here yet: release waits"),
    (WARNING, _odd, "{n} with an odd name: no ending, or the name of a passing file"),
)


def size_advice(name: str, size: int | None) -> str:
    """What is better made smaller before it is sent or chosen; advice, no refusal."""
    chosen, packed = settings(), name.lower().endswith(PACKAGES)
    if (size or 0) <= (chosen.package_gib if packed else chosen.file_gib) * GIB:
        return ""
    return f"Over {chosen.package_gib} GB: {SMALLER}" if packed else f"Over {chosen.file_gib} GB: {SLOW}"


def _walked() -> tuple[tuple[str, ColumnElement[bool], str], ...]:
    chosen = settings()
    return (
        *_WALK,
        (WARNING, and_(_size > chosen.package_gib * GIB, _package), f"{{n}} over {chosen.package_gib} GB: {SMALLER}"),
        (WARNING, and_(_size > chosen.file_gib * GIB, ~_package), f"{{n}} over {chosen.file_gib} GB: {SLOW}"),
    )


def _files(dataset: Dataset) -> list[Finding]:
    """Counts and first examples by one walk, however many files there are."""
    walked = _walked()
    counted = [func.sum(case((condition, 1), else_=0)) for condition in (_size < SMALL, *(one[1] for one in walked))]
    total, many, *numbers = db.session.execute(_walk(dataset, func.count(), *counted)).one()
    found = []
    for count, (level, condition, words) in zip(numbers, walked, strict=True):
        if count:
            n, name = db.session.execute(
                _walk(dataset, File.n, File.name).where(condition).order_by(File.n).limit(1)
            ).one()
            says = words.format(n=f"{count:,} of {total:,} {'file' if total == 1 else 'files'}")
            found.append(Finding(level, f"{says} ({name if count == 1 else f'the first is {name}'}).", "files", n))
    if (many or 0) >= settings().many_files:
        sentence = f"{many:,} files smaller than 1 MB: packed into .tar or .zip by kind they are easier to handle."
        found.append(Finding(HINT, sentence, "files"))
    return found


def _walk(dataset: Dataset, *columns) -> Select:
    joined = select(*columns).select_from(File).outerjoin(Upload, Upload.id == File.upload_id)
    return joined.where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES))


def _duplicates(dataset: Dataset, *, reviewing: bool) -> list[Finding]:
    """Files whose bytes another dataset has too. A submitter hears only of datasets that they may see anyway."""
    first = (
        select(File.id)
        .where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), File.upload_id.is_not(None))
        .order_by(File.n)
        .limit(COMPARED)
    )
    twin, theirs = aliased(File), aliased(Upload)
    query = (
        select(Dataset, func.count(), func.min(File.n))
        .select_from(File)
        .join(Upload, Upload.id == File.upload_id)
        .join(theirs, and_(theirs.md5 == Upload.md5, theirs.size == Upload.size, theirs.id != Upload.id))
        .join(twin, twin.upload_id == theirs.id)
        .join(Dataset, Dataset.id == twin.dataset_id)
        .where(File.id.in_(first), Upload.size > 0, twin.dataset_id != dataset.id, twin.state.not_in(states.DEAD_FILES))
        .group_by(Dataset.id)
        .order_by(Dataset.id)
        .limit(20)
    )
    found = []
    for other, count, n in db.session.execute(query).unique():
        if other.accession if reviewing else access.may_see(other, dataset.account):
            name = other.accession or f"your draft “{other.title or other.id}”"
            says = f"{count:,} {'file has' if count == 1 else 'files have'} the same bytes as files of {name}."
            found.append(Finding(WARNING, says, "files", n))
    return found
