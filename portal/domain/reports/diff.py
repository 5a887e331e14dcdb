"""Comparison of metadata versions: what differs between a report that somebody kept and what the archive holds now."""

import gzip
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from sqlalchemy import select

from portal import db, errors, states
from portal.domain.reports import accessions, tsv
from portal.domain.reports.snapshot import Bitset
from portal.domain.shared import sizes
from portal.messages import say
from portal.models import Component, Dataset

HEAD = ("accession", "change", "md5sum_then", "md5sum_now", "status_then", "status_now")
SOME = 2_000
LONGEST = 10_000
# Of a report that somebody sends; the archive's own may be larger.
MOST_LINES, MOST_BYTES, AT_ONCE = 5_000_000, 512 << 20, 1 << 20
MAGIC, TAR, AT = b"\x1f\x8b", b"ustar", 257


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as the kept report tells of it; without status where that has none."""

    accession: str
    md5: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """`change`: new, changed (its XML), status (that alone), gone (not here any more)."""

    accession: str
    change: str
    md5_then: str
    md5_now: str
    status_then: str
    status_now: str

    @property
    def text(self) -> str:
        return (
            "\t".join((self.accession, self.change, self.md5_then, self.md5_now, self.status_then, self.status_now))
            + "\n"
        )


def read(source: BinaryIO, *, limited: bool = False) -> Iterator[Entry]:
    """The objects of an Accessions report, of a metadata dump, or of what metamd5 prints; packed or not. Raises
    Invalid, and where it is limited TooLarge for what unpacks to more than any report."""
    try:
        yield from _entries(_counted(lines(source, limited=True)) if limited else lines(source))
    except (OSError, EOFError, UnicodeDecodeError, tarfile.TarError) as error:
        raise errors.Invalid(
            say("report_unreadable", "This report cannot be read: {error}.", error=str(error))
        ) from error


class _Unpacked(gzip.GzipFile):
    """Unpacks so much, and never much at once: a header of a tar may claim any length."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= AT_ONCE:
            raise _too_large()
        self._check(self.tell() + size)
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        self._check(self.tell())
        return super().readline(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)
        return super().seek(offset, whence)

    def _check(self, place: int) -> None:
        if place > MOST_BYTES + AT_ONCE:
            raise _too_large()


def _too_large() -> errors.TooLarge:
    return errors.TooLarge(
        say(
            "report_too_large",
            "A report has at most {lines:,} lines and {most} unpacked.",
            lines=MOST_LINES,
            most=sizes.size(MOST_BYTES),
        )
    )


def _counted(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number > MOST_LINES:
            raise _too_large()
        yield line


def lines(source: BinaryIO, *, limited: bool = False) -> Iterator[str]:
    """The Accessions report, be it plain, packed or in a dump."""
    if _begins(source, MAGIC, 0):
        source = (_Unpacked if limited else gzip.GzipFile)(fileobj=source)  # type: ignore[assignment]
    if not _begins(source, TAR, AT):
        yield from _bounded(source)
        return
    with tarfile.open(fileobj=source, mode="r:") as tar:
        while (member := tar.next()) is not None:
            if member.isfile() and member.name.endswith("_Accessions"):
                yield from _bounded(tar.extractfile(member))
                return
            tar.members = []  # type: ignore[attr-defined]  # they are not asked for again
    raise errors.Invalid(say("no_report_in_tar", "There is no Accessions report in this tar."))


def _bounded(source: IO[bytes] | None) -> Iterator[str]:
    """Lines of a text that may be anything: none is longer than a line can be."""
    assert source is not None
    while line := source.readline(LONGEST):
        yield line.decode()


def _begins(source: BinaryIO, mark: bytes, at: int) -> bool:
    start = source.tell()
    head = source.read(at + len(mark))[at:]
    source.seek(start)
    return head == mark


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    columns = ["accession", "md5sum"]
    for number, line in enumerate(lines):
        words = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
        if number == 0 and words and words[0].lower() == "accession":
            columns = [word.lower() for word in words]
        elif words and words[0]:
            if len(words) < len(columns) or "md5sum" not in columns:
                raise errors.Invalid(
                    say(
                        "report_line_faulty",
                        "Line {line} is no line of an Accessions report: {content}",
                        line=number + 1,
                        content=line[:100].strip(),
                    )
                )
            row = dict(zip(columns, words, strict=False))
            yield Entry(row["accession"].upper(), row["md5sum"].lower(), row.get("status", ""))


def compare(center_id: int, entries: Iterable[Entry]) -> Iterator[Change]:
    """What differs, in the order of the report, then what is new. Memory does not grow with either."""
    seen = Bitset(), Bitset()
    for some in _portions(entries):
        listed = [entry.accession for entry in some]
        if len(set(listed)) < len(listed):
            raise _twice(max(listed, key=listed.count))
        with db.reading():
            current = _known(center_id, listed, seen)
        for entry in some:
            change = _change(entry, current.get(entry.accession))
            if change is not None:
                yield change
    components, datasets = seen
    for line in accessions.lines(center_id):
        if line.component not in components if line.component else line.dataset not in datasets:
            yield Change(line.accession, "new", "", line.md5, "", line.status)


def _twice(accession: str | None) -> errors.Invalid:
    return errors.Invalid(
        say(
            "accession_twice",
            "{accession} is in this report twice. Send a report as it was written.",
            accession=accession,
        )
    )


def _portions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    some: list[Entry] = []
    for entry in entries:
        some.append(entry)
        if len(some) == SOME:
            yield some
            some = []
    if some:
        yield some


def _known(center_id: int, listed: list[str], seen: tuple[Bitset, Bitset]) -> dict[str, tuple[str, str]]:
    """MD5 and status by accession, of the center's own alone."""
    current: dict[str, tuple[str, str]] = {}
    components = (
        select(Component.id, Component.accession, Component.md5, Component.status, Dataset.state)
        .join(Dataset, Dataset.id == Component.dataset_id)
        .where(Component.accession.in_(listed), Component.center_id == center_id, Dataset.accession.is_not(None))
    )
    for number, accession, md5, own, state in db.session.execute(components):
        if number in seen[0]:
            raise _twice(accession)
        seen[0].add(number)
        current[accession or ""] = md5 or "", accessions.status_of(own, state)
    datasets = select(Dataset.id, Dataset.accession, Dataset.state).where(
        Dataset.accession.in_(listed), Dataset.center_id == center_id
    )
    for number, accession, state in db.session.execute(datasets):
        if number in seen[1]:
            raise _twice(accession)
        seen[1].add(number)
        current.setdefault(accession or "", ("", states.STATUS[state]))
    return current


def _change(entry: Entry, current: tuple[str, str] | None) -> Change | None:
    if current is None:
        return Change(entry.accession, "gone", entry.md5, "", entry.status, "")
    md5, status = current
    if entry.md5 != md5:
        word = "changed"
    elif entry.status and entry.status != status:
        word = "status"
    else:
        return None
    return Change(entry.accession, word, entry.md5, md5, entry.status, status)


def center_of(entries: Iterable[Entry]) -> int | None:
    """The center whose report this is, by the first of its objects that is here."""
    for some in _portions(entries):
        query = select(Component.center_id).where(Component.accession.in_([entry.accession for entry in some]))
        center_id = db.session.scalar(query.limit(1))
        if center_id is not None:
            return center_id
    return None


def head() -> str:
    return "\t".join(HEAD) + "\n"


def joined(texts: Iterable[str]) -> Iterator[bytes]:
    """Lines in pieces of some size, so that an answer is not sent by lines."""
    some: list[str] = []
    for text in texts:
        some.append(text)
        if len(some) == tsv.PORTION:
            yield "".join(some).encode()
            some = []
    yield "".join(some).encode()
