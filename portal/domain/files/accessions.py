"""Accessions: given at the first submit, never used twice, not even after a restored backup (high-water file)."""

import re
from pathlib import Path

from sqlalchemy import select

from portal import db, keys, storage
from portal.config import settings
from portal.models import Counter, Dataset

# The letter behind the prefix: STUDY, SAMPLE, EXPERIMENT, RUN, ANALYSIS.
COMPONENTS = "PSXRZ"


def give(dataset: Dataset) -> str:
    """The accession of a dataset, taken from the counter when it has none."""
    if dataset.accession is None:
        dataset.accession = block(settings().prefix, 1)[0]
        db.session.flush()
    return dataset.accession


def block(series: str, count: int) -> list[str]:
    """So many fresh accessions of a series: the prefix of datasets, or that with the letter of components."""
    first = take(series, count)
    last = first + count - 1
    db.on_commit(lambda: _write_high_water(series, last))
    return [form(series, number) for number in range(first, last + 1)]


def take(name: str, count: int = 1) -> int:
    """The first of `count` fresh numbers of a series."""
    row = db.session.scalar(select(Counter).where(Counter.name == name).execution_options(populate_existing=True))
    if row is None:
        row = Counter(name=name, next=1)
        db.session.add(row)
    first = row.next
    row.next = first + count
    db.session.flush()
    return first


def form(prefix: str, number: int) -> str:
    return f"{prefix}{number:06d}"


def of_file(accession: str | None, n: int) -> str:
    """The accession of a file, OMIX000001-01; '-01' while its dataset has none."""
    return f"{accession or ''}-{n:02d}"


def is_reserved(segment: str) -> bool:
    """Names of the form of an accession belong to released datasets."""
    return re.fullmatch(rf"{settings().prefix}\d{{6,}}", segment) is not None


def is_component(text: str) -> bool:
    """Whether a text has the form of a component's accession."""
    return re.fullmatch(rf"{settings().prefix}[{COMPONENTS}]\d{{6,}}", text.upper()) is not None


def _file(series: str) -> Path:
    name = "accession-high-water"
    return settings().keys / (name if series == settings().prefix else f"{name}-{series}")


def _high_water(series: str) -> int:
    try:
        return int(_file(series).read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _write_high_water(series: str, number: int) -> None:
    """Whoever commits first may come here last, in another thread or process: the highest number stays."""
    with keys.locked(settings().keys):
        if number > _high_water(series):
            storage.write_whole(_file(series), f"{number}\n".encode())


def raise_to_high_water() -> None:
    """After a restored backup: go on behind the highest accession ever given. Call at start, in a transaction."""
    for series in (settings().prefix, *(settings().prefix + letter for letter in COMPONENTS)):
        highest = max([_high_water(series), *(_archived_numbers() if series == settings().prefix else ())])
        row = db.session.get(Counter, series)
        if row is None:
            db.session.add(Counter(name=series, next=highest + 1))
        elif row.next <= highest:
            row.next = highest + 1
    db.session.flush()


def _archived_numbers() -> list[int]:
    prefix = settings().prefix
    numbers = []
    for realm in ("open", "protected"):
        root = settings().root("archive", realm)
        names = (path.name for path in root.iterdir()) if root.is_dir() else ()
        numbers += [int(name[len(prefix) :]) for name in names if is_reserved(name)]
    return numbers
