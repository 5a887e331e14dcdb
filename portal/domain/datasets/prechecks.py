"""Automatic checks of a dataset, for its submitter before Submit and for curators before they decide. A finding is an
error, a warning or a hint, with a message and the field it is mended at; only those of datasets.missing() stop a
submit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.datasets import datasets, portable_names, realms
from portal.domain.permissions import access
from portal.domain.shared import sizes
from portal.messages import Message, say
from portal.models import Dataset, File, Upload

ERROR, WARNING, HINT = "error", "warning", "hint"
SMALL = 1_000_000
PACKAGES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".rar", ".7z")
OVERSIZED_PACKAGE = "packages are better made smaller"
OVERSIZED_FILE = "checking takes long, smaller files are better"
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
_TWIN, _THEIRS = aliased(File), aliased(Upload)


@dataclass(frozen=True)
class Finding:
    """`level` is error, warning or hint; `field` a field of the form, or `files`, where `n` may name one file."""

    level: str
    message: Message
    field: str = ""
    n: int | None = None

    @property
    def sentence(self) -> str:
        """The message, rendered."""
        return str(self.message)

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
    """All findings, the gravest first; with `reviewing` also those that only curators may know."""
    findings = [Finding(ERROR, message, field) for field, message in datasets.missing(dataset).items()]
    findings += [*_text(dataset), *_human(dataset), *_realm(dataset), *_date(dataset), *_files(dataset)]
    findings += [Finding(WARNING, message, "files", n) for message, n in portable_names.faults(dataset)]
    findings += _duplicates(dataset, reviewing=reviewing)
    return sorted(findings, key=lambda finding: (ERROR, WARNING, HINT).index(finding.level))


def _text(dataset: Dataset) -> list[Finding]:
    findings = []
    title, description = dataset.title.strip(), dataset.description.strip()
    if title and (len(title) < 15 or len(title.split()) < 3):
        text = "The dataset name is very short: say what was measured, in what."
        findings.append(Finding(WARNING, say("title_short", text), "title"))
    if description and description.lower() == title.lower():
        text = "The description only repeats the name."
        findings.append(Finding(WARNING, say("description_repeats", text), "description"))
    elif description and len(description) < 60:
        text = "The description is very short for somebody who wants to use the data."
        findings.append(Finding(HINT, say("description_short", text), "description"))
    return findings


def _human(dataset: Dataset) -> list[Finding]:
    species = bool(re.search(r"\bhomo sapiens\b|\bhuman\b", dataset.species, re.IGNORECASE))
    if not (dataset.human or species):
        return []
    findings = []
    if not dataset.human:
        text = "The species is human, but “human genetic resources” is not ticked."
        findings.append(Finding(WARNING, say("human_not_ticked", text), "human"))
    if dataset.access == "open":
        findings.append(Finding(WARNING, say("human_open", "Human data are to be open to everybody."), "access"))
    if not dataset.filing_number:
        text = "Human data without a filing number; it is recommended, not required."
        findings.append(Finding(WARNING, say("human_no_filing_number", text), "filing_number"))
    return findings


def _realm(dataset: Dataset) -> list[Finding]:
    """Files that were sent to the other area (open, protected) than the access asks for."""
    came = realms.other(realms.of_access(dataset))
    query = (
        select(func.count())
        .select_from(File)
        .join(Upload, Upload.id == File.upload_id)
        .where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), Upload.realm == came)
    )
    number = int(db.session.scalar(query) or 0)
    if number and came == "protected":
        rest = " came by the protected area and will be open to everybody."
        return [Finding(WARNING, _number_of_files("sent_protected", number, rest), "access")]
    if number:
        rest = " came by the open area. They are archived in the protected one; send controlled data there."
        return [Finding(HINT, _number_of_files("sent_open", number, rest), "access")]
    return []


def _number_of_files(code: str, count: int, rest: str) -> Message:
    return say(code, "{count:,} file" + rest, plural="{count:,} files" + rest, count=count)


def _date(dataset: Dataset) -> list[Finding]:
    if not dataset.release_date:
        text = "No release date is set; it stays closed until somebody releases it."
        return [Finding(HINT, say("no_release_date", text), "release_date")]
    day, today = date.fromisoformat(dataset.release_date), clock.today(settings().timezone)
    if dataset.state in (states.RELEASED, states.SUPPRESSED, states.WITHDRAWN):
        return []
    if day < today:
        text = "The release date {day} is past: it opens as soon as it is approved and all its files are archived."
        return [Finding(WARNING, say("release_date_past", text, day=day), "release_date")]
    if day > today + timedelta(days=366 * FAR_YEARS):
        text = "The release date {day} is more than {years} years away."
        return [Finding(WARNING, say("release_date_far", text, day=day, years=FAR_YEARS), "release_date")]
    return []


_size = func.coalesce(File.size, Upload.size)
_base = func.lower(File.base)
_package = or_(*(_base.like(f"%{ending}") for ending in PACKAGES))
_odd = or_(*(_base.like(pattern.replace("_", r"\_"), escape="\\") for pattern in ODD_NAMES), File.base.not_like("%.%"))


class _Part(NamedTuple):
    """Files that are counted together: `text` has {n} for the number of them, and names of `values`."""

    level: str
    condition: ColumnElement[bool]
    code: str
    text: str
    values: Mapping[str, object] = MappingProxyType({})


_PARTS = (
    _Part(
        ERROR,
        and_(File.error.is_not(None), File.error != "empty_file"),
        "files_faulty",
        "{n} with a fault: see what to do there",
    ),
    _Part(ERROR, or_(_size == 0, File.error == "empty_file"), "files_empty", "{n} of 0 bytes"),
    _Part(
        WARNING,
        and_(File.error.is_(None), Upload.inspection.is_not(None), Upload.error.not_like("duplicate%")),
        "files_with_findings",
        "{n} in which a fault was found: see there what it is",
    ),
    _Part(WARNING, File.state == states.WAITING, "files_waiting", "{n} not here yet: release waits"),
    _Part(WARNING, _odd, "files_odd_names", "{n} with an odd name: no ending, or the name of a passing file"),
)


def size_advice(name: str, size: int | None) -> str:
    """What is better made smaller before it is sent or chosen; advice, no refusal."""
    chosen, packed = settings(), name.lower().endswith(PACKAGES)
    if (size or 0) <= (chosen.package_gib if packed else chosen.file_gib) * sizes.GB:
        return ""
    return (
        f"Over {chosen.package_gib} GB: {OVERSIZED_PACKAGE}"
        if packed
        else f"Over {chosen.file_gib} GB: {OVERSIZED_FILE}"
    )


def _parts() -> tuple[_Part, ...]:
    """All parts that are counted, those bounded by a setting too."""
    package, single, text = settings().package_gib, settings().file_gib, "{n} over {gib} GB: {advice}"
    large_package, large_file = and_(_size > package * sizes.GB, _package), and_(_size > single * sizes.GB, ~_package)
    return (
        *_PARTS,
        _Part(WARNING, large_package, "packages_large", text, {"gib": package, "advice": OVERSIZED_PACKAGE}),
        _Part(WARNING, large_file, "files_large", text, {"gib": single, "advice": OVERSIZED_FILE}),
    )


def _files(dataset: Dataset) -> list[Finding]:
    """Counts and first examples by one query each, however many files there are."""
    parts = _parts()
    sums = [
        func.sum(case((condition, 1), else_=0)) for condition in (_size < SMALL, *(part.condition for part in parts))
    ]
    total, many, *numbers = db.session.execute(_select_files(dataset, func.count(), *sums)).one()
    findings = [_of_part(dataset, part, count, total) for count, part in zip(numbers, parts, strict=True) if count]
    if (many or 0) >= settings().many_files:
        text = "{count:,} files smaller than 1 MB: packed into .tar or .zip by kind they are easier to handle."
        findings.append(Finding(HINT, say("files_many_small", text, count=many), "files"))
    return findings


def _of_part(dataset: Dataset, part: _Part, count: int, total: int) -> Finding:
    first = _select_files(dataset, File.n, File.name).where(part.condition).order_by(File.n).limit(1)
    number, name = db.session.execute(first).one()
    share = say(
        "files_of_all", "{part:,} of {count:,} file", plural="{part:,} of {count:,} files", part=count, count=total
    )
    example = name if count == 1 else say("files_first", "the first is {name}", name=name)
    message = Message(part.code, part.text + " ({example}).", {**part.values, "n": share, "example": example})
    return Finding(part.level, message, "files", number)


def _select_files(
    dataset: Dataset, *columns: ColumnElement[Any] | InstrumentedAttribute[Any]
) -> Select[*tuple[Any, ...]]:
    """Query of columns of the living files and their uploads."""
    query = select(*columns).select_from(File).outerjoin(Upload, Upload.id == File.upload_id)
    return query.where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES))


def _duplicates(dataset: Dataset, *, reviewing: bool) -> list[Finding]:
    """Files whose bytes another dataset has too. A submitter hears only of datasets that they may see anyway."""
    first = (
        select(File.id)
        .where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), File.upload_id.is_not(None))
        .order_by(File.n)
        .limit(COMPARED)
    )
    query = (
        select(Dataset, func.count(), func.min(File.n))
        .select_from(File)
        .join(Upload, Upload.id == File.upload_id)
        .join(_THEIRS, and_(_THEIRS.md5 == Upload.md5, _THEIRS.size == Upload.size, _THEIRS.id != Upload.id))
        .join(_TWIN, _TWIN.upload_id == _THEIRS.id)
        .join(Dataset, Dataset.id == _TWIN.dataset_id)
        .where(
            File.id.in_(first), Upload.size > 0, _TWIN.dataset_id != dataset.id, _TWIN.state.not_in(states.DEAD_FILES)
        )
        .group_by(Dataset.id)
        .order_by(Dataset.id)
        .limit(20)
    )
    findings = []
    for other, count, n in db.session.execute(query).unique():
        if other.accession if reviewing else access.may_see(other, dataset.account):
            findings.append(Finding(WARNING, _same_bytes(other, count), "files", n))
    return findings


def _same_bytes(other: Dataset, count: int) -> Message:
    draft = say("your_draft", "your draft “{title}”", title=other.title or other.id)
    return say(
        "files_same_bytes",
        "{count:,} file has the same bytes as files of {name}.",
        plural="{count:,} files have the same bytes as files of {name}.",
        count=count,
        name=other.accession or draft,
    )
