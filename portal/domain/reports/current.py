"""A report as it stands now, by its kind: for programs that do not wait for the night."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from portal import clock
from portal.domain.reports import accessions, diff, files, metadata, usage
from portal.models import Center


def text(kind: str, center: Center, *, since: int = 0, realm: str = "open") -> Iterator[bytes]:
    """A tab file or the usage report, in pieces; with `since` only what came or changed since a moment."""
    if kind == "usage":
        return diff.joined(usage.lines(center, realm))
    if kind == "accessions":
        return diff.joined(
            _with_head(accessions.head(), (line.text for line in accessions.lines(center.id, since=since)))
        )
    return _files(center.id, since)


def _files(center_id: int, since: int) -> Iterator[bytes]:
    yield files.head().encode()
    for some in files.portions(center_id, since=since):
        yield "".join([lines for _, lines in some]).encode()


def kept_accessions(path: Path) -> Iterator[bytes]:
    """The Accessions report of a dump that was written."""
    with path.open("rb") as kept:
        yield from diff.joined(diff.lines(kept))


def _with_head(head: str, rest: Iterator[str]) -> Iterator[str]:
    yield head
    yield from rest


def dump(center: Center, target: BinaryIO, *, since: int = 0) -> None:
    """The metadata of a center as tar.gz; with `since` the XML and lines of what changed since a moment."""
    survey = metadata.Survey()
    try:
        survey.run(center.id, since=since)
        metadata.write(target, survey, moment=clock.now())
    finally:
        survey.close()
