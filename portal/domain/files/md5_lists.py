"""Lists of MD5s as people have them: of GNU md5sum, of BSD and macOS md5, of openssl, or a table with a column of them.

A list is parsed, compared with the files of a dataset, shown, and only then applied.
"""

import csv
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, func

from portal import db, errors, states
from portal.domain.files import bulk_edit, files
from portal.domain.shared import companions
from portal.messages import Message, joined, say
from portal.models import Account, Dataset, File, Upload

MOST_LINES = 200_000
GNU = re.compile(r"(\\?)([0-9a-fA-F]{32})(?: [ *]|\t+| +)(.+)")
BSD = re.compile(r"MD5 ?\((.+)\) ?= ?([0-9a-fA-F]{32})")
MD5 = re.compile(r"[0-9a-fA-F]{32}")
OTHER = re.compile(r"\b(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128})\b")
HEADS = ("file", "filename", "file name", "file_name", "name", "path")


class Entry(NamedTuple):
    """One line of a list: a name as it stands there, its MD5 in lower case, the number of the line."""

    name: str
    md5: str
    line: int


class Match(NamedTuple):
    """A line and the file it means; `before` is the MD5 declared so far, `arrived` that of its bytes, None where they
    have not come or are not read yet."""

    n: int
    name: str
    md5: str
    before: str | None
    id: int
    arrived: str | None = None


@dataclass
class Comparison:
    """What a list says of a dataset. `changed` is what applying it would do; `missing` are files it lacks."""

    changed: list[Match] = field(default_factory=list)
    same: list[Match] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[Entry] = field(default_factory=list)
    refused: list[tuple[str, Message]] = field(default_factory=list)
    faults: list[tuple[int, Message]] = field(default_factory=list)
    companions: int = 0

    @property
    def agreeing(self) -> list[Match]:
        """The lines whose MD5 the bytes that arrived have."""
        return [match for match in (*self.changed, *self.same) if match.arrived == match.md5]

    @property
    def differing(self) -> list[Match]:
        """The lines whose MD5 the bytes that arrived have not."""
        return [match for match in (*self.changed, *self.same) if match.arrived not in (None, match.md5)]


def parse(text: str) -> tuple[list[Entry], list[tuple[int, Message]]]:
    """(entries, faults as (line, message)) of a list in any of the forms. Raises Invalid when it is too long."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise errors.Invalid(say("list_too_long", "A list has at most {most:,} lines.", most=MOST_LINES))
    entries: list[Entry] = []
    faults: list[tuple[int, Message]] = []
    heads: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        pair = _sum(line) or _table(line, heads)
        if pair is None and heads is None and not entries and _is_head(line):
            heads = [cell.strip().lower() for cell in _cells(line)]
        elif pair is None:
            faults.append((number, _fault(line)))
        else:
            entries.append(Entry(_plain(pair[0]), pair[1].lower(), number))
    return entries, faults


def _sum(line: str) -> tuple[str, str] | None:
    if match := BSD.fullmatch(line.strip()):
        return match[1], match[2]
    if match := GNU.fullmatch(line.rstrip("\r\n")):
        name = match[3]
        if match[1]:
            name = name.replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")
        return name.strip(), match[2]
    return None


def _cells(line: str) -> list[str]:
    mark = "\t" if "\t" in line else ";" if ";" in line and "," not in line else ","
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return []  # a cell of more than 131,072 characters is no name


def _table(line: str, heads: list[str] | None) -> tuple[str, str] | None:
    cells = [cell.strip() for cell in _cells(line)]
    sums = [cell for cell in cells if MD5.fullmatch(cell)]
    if len(cells) < 2 or len(sums) != 1:
        return None
    rest = {at: cell for at, cell in enumerate(cells) if cell and cell != sums[0]}
    for at, head in enumerate(heads or []):
        if head in HEADS and at in rest:
            return rest[at], sums[0]
    return (next(iter(rest.values())), sums[0]) if rest else None


def _is_head(line: str) -> bool:
    return any(cell.strip().lower() in (*HEADS, "md5", "md5sum", "checksum") for cell in _cells(line))


def _fault(line: str) -> Message:
    if OTHER.search(line):
        text = "This is another digest than MD5; an MD5 has 32 characters. Make the list with md5sum."
        return say("list_other_digest", text)
    return say("list_line_unreadable", "There is no MD5 and name in “{line}”.", line=line.strip()[:60])


def _plain(name: str) -> str:
    """The path as the archive stores it: no ./ before it, / between folders."""
    path = name.replace("\\", "/")
    while path.startswith("./"):
        path = path[2:]
    return path.strip("/")


def compare(dataset: Dataset, text: str) -> Comparison:
    """What the list says of the files of a dataset: by exact path, else by a base name that only one file bears."""
    entries, faults = parse(text)
    comparison = Comparison(faults=faults)
    columns = (File.id, File.n, File.name, File.base, File.declared_md5, File.state, File.md5, File.replaces_id)
    arrived = func.coalesce(File.md5, Upload.md5).label("arrived")
    query = files.living(dataset).outerjoin(Upload, Upload.id == File.upload_id)
    declared = db.session.execute(query.with_only_columns(*columns, arrived)).all()
    # A file whose successor is declared is meant by its own name only.
    replaced = {row.replaces_id for row in declared}
    lasting = [row for row in declared if row.id not in replaced]
    by_name = {row.name: row for row in declared}
    by_base: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for file in lasting:
        by_base.setdefault(file.base, []).append(file)
    seen: dict[int, Entry] = {}
    twice = _contradicted(entries)
    for entry in entries:
        if companions.is_companion(entry.name) and entry.name not in by_name:
            comparison.companions += 1
            continue
        alike = by_base.get(entry.name.rsplit("/", 1)[-1], [])
        row = by_name.get(entry.name) or (alike[0] if len(alike) == 1 else None)
        if entry.name in twice:
            comparison.refused.append((entry.name, _contradiction(entry)))
            if row is not None:
                seen[row.id] = entry
        elif row is None:
            comparison.extra.append(entry)
        elif row.id in seen:
            comparison.refused.append((row.name, _repetition(seen[row.id], entry)))
        else:
            seen[row.id] = entry
            _sort(comparison, row, entry)
    comparison.missing = [row.name for row in lasting if row.id not in seen]
    return comparison


def _contradicted(entries: list[Entry]) -> set[str]:
    """Names that stand in the list with different MD5s: nobody can tell which is meant."""
    first: dict[str, str] = {}
    return {entry.name for entry in entries if first.setdefault(entry.name, entry.md5) != entry.md5}


def _contradiction(entry: Entry) -> Message:
    return say("list_contradicts", "Line {line} gives it another MD5 than another line.", line=entry.line)


def _repetition(first: Entry, second: Entry) -> Message:
    text = "Lines {first} and {second} both mean it."
    return say("list_repeats", text, first=first.line, second=second.line)


def _sort(comparison: Comparison, row: Row[*tuple[Any, ...]], entry: Entry) -> None:
    """Put a line that means a file with those that change, say the same or are refused."""
    match = Match(row.n, row.name, entry.md5, row.declared_md5, row.id, row.arrived)
    if row.declared_md5 == entry.md5:
        comparison.same.append(match)
    elif row.state == states.ARCHIVED and row.md5 != entry.md5:
        comparison.refused.append((row.name, files.archived_with(row.md5)))
    else:
        comparison.changed.append(match)


def apply(dataset: Dataset, text: str, *, actor: Account, add: bool = False) -> Comparison:
    """Declare the MD5s of a list, and with `add` its other names as new files. Raises Invalid with a sentence for each
    name that cannot be taken; then nothing is changed."""
    files.refuse_released(dataset)
    comparison = compare(dataset, text)
    changes = [
        bulk_edit.Change(match.id, match.n, match.name, {"declared_md5": match.before}, {"declared_md5": match.md5})
        for match in comparison.changed
    ]
    bulk_edit.apply(dataset, changes, actor=actor)
    if add and comparison.extra:
        unique = {entry.name: entry for entry in comparison.extra}
        try:
            files.add(dataset, [{"name": entry.name, "md5": entry.md5} for entry in unique.values()], actor=actor)
        except errors.Invalid as error:
            raise _by_line(error, list(unique.values())) from None
    return comparison


def _by_line(error: errors.Invalid, entries: list[Entry]) -> errors.Invalid:
    """The faults of added files, `files.<index>.<field>`, told with the lines of the list, in its one field."""
    faults = [
        say("list_line_fault", "Line {line}: {fault}", line=entries[int(key.split(".")[1])].line, fault=fault)
        for key, fault in list(error.field_messages.items())[:20]
    ]
    return errors.Invalid(fields={"digests": joined("list_faults", faults) if faults else error.message})
