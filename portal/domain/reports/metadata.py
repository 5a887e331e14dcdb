"""The metadata dump: annotated XML of a center's objects by dataset and type, and the Accessions report, as tar.gz."""

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO

from sqlalchemy import select

from portal import db
from portal.config import settings
from portal.domain.reports import accessions, tsv
from portal.domain.reports.snapshot import Bitset, Comparison, SnapshotRow, short
from portal.models import Component, Dataset

# In memory until it is so large; then on disk.
SPOOL = 4 << 20
FEW = 64
TYPES = ("SUBMISSION", "STUDY", "SAMPLE", "EXPERIMENT", "RUN", "ANALYSIS")


class Survey:
    """One pass over the objects of a center, or of all that is public: their lines, and whose XML is to be given."""

    def __init__(self) -> None:
        self.text = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115
        self.shown, self.changed = Bitset(), Bitset()
        self.datasets, self.changed_datasets = Bitset(), Bitset()
        self.count = 0

    def run(
        self,
        center_id: int | None,
        comparison: Comparison | None = None,
        *,
        since: int = 0,
        on_step: tsv.OnStep = tsv.nothing,
    ) -> None:
        self.text.write(accessions.head().encode())
        for line in accessions.lines(center_id, since=since):
            self.text.write(line.text.encode())
            self.count += 1
            if line.shows:
                self.shown.add(line.component)
                self.datasets.add(line.dataset)
            if comparison is not None:
                content, _ = comparison.compare(_seen(line))
                if content and line.shows:
                    self.changed.add(line.component)
                    self.changed_datasets.add(line.dataset)
            if self.count % tsv.PORTION == 0:
                on_step()
        if comparison is not None:
            comparison.end()

    def close(self) -> None:
        self.text.close()


def _seen(line: accessions.Line) -> SnapshotRow:
    """Content counts as changed too when it is shown again."""
    return SnapshotRow(line.key, not line.shows, short(f"{line.md5} {line.shows}"), short(line.facts))


def write(
    target: BinaryIO, survey: Survey, *, moment: int, whole: bool = True, on_step: tsv.OnStep = tsv.nothing
) -> None:
    """The dump: all XML, or only that which changed; the Accessions report whole in both."""
    datasets, chosen = (survey.datasets, survey.shown) if whole else (survey.changed_datasets, survey.changed)
    with tsv.packed(target) as packed, tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, f"{settings().prefix}_Accessions", survey.text, moment)
        for dataset_id, accession in _datasets(datasets):
            for kind in TYPES:
                on_step()
                with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
                    if _write_set(spool, dataset_id, kind, lambda number: number in chosen):
                        _add(tar, f"{accession}/{accession}.{kind.lower()}.xml", spool, moment)


def _datasets(chosen: Bitset) -> Iterator[tuple[int, str]]:
    query = select(Dataset.id, Dataset.accession).where(Dataset.accession.is_not(None))
    if chosen.count:
        for rows in tsv.portions(query, Dataset.id):
            yield from ((row.id, row.accession) for row in rows if row.id in chosen)


def _write_set(spool: IO[bytes], dataset_id: int, kind: str, is_wanted: Callable[[int], bool]) -> int:
    """The objects of one type of a dataset; how many there were."""
    count, after = 0, 0
    while numbers := _numbers(dataset_id, kind, after):
        after = numbers[-1]
        for start in range(0, len(chosen := [number for number in numbers if is_wanted(number)]), FEW):
            query = select(Component.xml).where(
                Component.id.in_(chosen[start : start + FEW]), Component.xml.is_not(None)
            )
            with db.reading():
                texts = list(db.session.scalars(query.order_by(Component.id)))
            if texts and not count:
                spool.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind}_SET>\n'.encode())
            for text in texts:
                spool.write((text or b"") + b"\n")
            count += len(texts)
    if count:
        spool.write(f"</{kind}_SET>\n".encode())
    return count


def _numbers(dataset_id: int, kind: str, after: int) -> list[int]:
    query = select(Component.id).where(Component.dataset_id == dataset_id, Component.type == kind, Component.id > after)
    with db.reading():
        return list(db.session.scalars(query.order_by(Component.id).limit(tsv.PORTION)))


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], moment: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = content.seek(0, 2), moment // 1000, 0o644
    content.seek(0)
    tar.addfile(info, content)


def copy_text(survey: Survey, target: BinaryIO) -> None:
    """The Accessions report by itself."""
    survey.text.seek(0)
    shutil.copyfileobj(survey.text, target, 1 << 20)
