"""The file table as a spreadsheet: written as TSV or XLSX, read back from either or from what was pasted, compared with
the files of a dataset, and only then applied."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from sqlalchemy import Row

from portal import db, errors, states
from portal.domain.files import bulk_edit, files, xlsx_guard
from portal.domain.shared import companions
from portal.messages import Message, joined, say
from portal.models import Account, Dataset, File

COLUMNS = {
    "name": "File name",
    "title": "Title",
    "description": "Description",
    "data_type": "Data type",
    "samples": "Number of Samples/Files",
    "unit": "Counted in",
    "declared_md5": "MD5",
}
ALSO = {
    "file": "name",
    "filename": "name",
    "name": "name",
    "md5": "declared_md5",
    "md5sum": "declared_md5",
    "samples": "samples",
    "number of samples": "samples",
    "unit": "unit",
    "type": "data_type",
}
MOST_ROWS, MOST_COLUMNS = 200_000, 100
# What a spreadsheet would take for a formula is marked as text, and the mark is taken off again.
FORMULA = ("=", "+", "-", "@")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Comparison:
    """What a sheet says of a dataset; `faults` are (row, message). Files that the sheet lacks stay as they are."""

    changed: list[bulk_edit.Change] = field(default_factory=list)
    added: list[dict[str, object]] = field(default_factory=list)
    same: int = 0
    faults: list[tuple[int, Message]] = field(default_factory=list)
    companions: int = 0


def rows(dataset: Dataset) -> Iterator[list[object]]:
    """Header and one row a file."""
    yield list(COLUMNS.values())
    query = files.lasting(dataset).with_only_columns(*(getattr(File, name) for name in COLUMNS))
    for row in db.session.execute(query):
        yield ["" if value is None else value for value in row]


def as_tsv(dataset: Dataset) -> str:
    """The file table as tab-separated text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    for row in rows(dataset):
        writer.writerow([_marked(value) for value in row])
    return buffer.getvalue()


def _marked(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def as_xlsx(dataset: Dataset) -> bytes:
    """The file table as a workbook of one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Files")
    for row in rows(dataset):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula
            cells.append(cell)
        sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(given: str | bytes) -> list[list[str]]:
    """The cells of a sheet as text. Raises Invalid for what is neither text nor XLSX, or too long."""
    if isinstance(given, bytes) and given.startswith(b"PK"):
        rows = _read_xlsx(given)
    else:
        rows = _read_text(given.decode("utf-8", "replace") if isinstance(given, bytes) else given)
    if len(rows) > MOST_ROWS:
        raise errors.Invalid(
            fields={"sheet": say("sheet_too_long", "A sheet has at most {most:,} rows.", most=MOST_ROWS)}
        )
    return rows


def _read_text(text: str) -> list[list[str]]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first = text.partition("\n")[0]
    mark = "\t" if "\t" in first else ";" if first.count(";") > first.count(",") else ","
    try:
        return [[_plain(cell) for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark)]
    except csv.Error as error:
        fault = say("sheet_rows_unreadable", "These rows cannot be read: {error}.", error=error)
        raise errors.Invalid(fields={"sheet": fault}) from error


def _read_xlsx(given: bytes) -> list[list[str]]:
    try:
        xlsx_guard.measure(given)
        sheet = load_workbook(io.BytesIO(given), read_only=True, data_only=True).worksheets[0]
        rows = []
        for row in sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS):
            cells = [_plain("" if value is None else str(value)) for value in row]
            rows.append(cells[: max((at for at, cell in enumerate(cells, start=1) if cell), default=0)])
            if len(rows) > MOST_ROWS:
                break
        return rows
    except errors.Invalid:
        raise
    except Exception as error:  # a broken book trips its reader up in many ways
        text = "This is no XLSX sheet that can be read. Save it again, or as TSV."
        raise errors.Invalid(fields={"sheet": say("sheet_no_xlsx", text)}) from error


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text


def _heads(row: list[str]) -> list[str] | None:
    """The fields of a header row; None when it is none."""
    fields = {label.lower(): name for name, label in COLUMNS.items()} | {name: name for name in COLUMNS} | ALSO
    heads = [fields.get(cell.lower(), "") for cell in row]
    return heads if "name" in heads else None


def compare(dataset: Dataset, given: str | bytes) -> Comparison:
    """What the sheet would change. Without a header row the columns are those of the table, in its order."""
    cells = [(number, row) for number, row in enumerate(read(given), start=1) if any(row)]
    heads = _heads(cells[0][1]) if cells else None
    if heads is None:
        heads = list(COLUMNS)
    else:
        cells = cells[1:]
    columns = (File.id, File.n, File.state, File.md5, *(getattr(File, name) for name in COLUMNS))
    # By number: of a file and its successor of the same name the successor is meant.
    files_by_name = {row.name: row for row in db.session.execute(files.living(dataset).with_only_columns(*columns))}
    comparison, seen = Comparison(), set()
    for number, row in cells:
        given_values = {name: value for name, value in zip(heads, row, strict=False) if name}
        if companions.is_companion(given_values.get("name", "")):
            comparison.companions += 1
            continue
        values, wrong = files.check(given_values | {"md5": given_values.get("declared_md5")})
        values = {name: value for name, value in values.items() if name in given_values or name == "name"}
        if not wrong and values["name"] in seen:
            wrong = {"name": say("sheet_name_twice", "{name} stands in the sheet twice.", name=values["name"])}
        if wrong:
            comparison.faults.append((number, joined("sheet_row_faults", list(wrong.values()))))
            continue
        seen.add(values["name"])
        _sort(comparison, files_by_name.get(values["name"]), values, number)
    return comparison


def _sort(comparison: Comparison, row: Row[*tuple[Any, ...]] | None, values: dict[str, object], number: int) -> None:
    if row is None:
        comparison.added.append(values)
        return
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    if row.state == states.ARCHIVED and "declared_md5" in before and values["declared_md5"] not in (None, row.md5):
        text = "{name} is archived with the MD5 {md5}; replace it."
        comparison.faults.append((number, say("sheet_archived_with", text, name=row.name, md5=row.md5)))
    elif before:
        comparison.changed.append(
            bulk_edit.Change(row.id, row.n, row.name, before, {name: values[name] for name in before})
        )
    else:
        comparison.same += 1


def apply(dataset: Dataset, given: str | bytes, *, actor: Account, add: bool = False) -> Comparison:
    """Change what the sheet says, and with `add` declare its other names. Raises Invalid when a row is faulty; then
    nothing is changed."""
    files.refuse_released(dataset)
    comparison = compare(dataset, given)
    if comparison.faults:
        faults = [
            say("sheet_row_fault", "Row {row}: {fault}", row=number, fault=fault)
            for number, fault in comparison.faults[:10]
        ]
        raise errors.Invalid(fields={"sheet": joined("sheet_faults", faults)})
    bulk_edit.apply(dataset, comparison.changed, actor=actor)
    if add and comparison.added:
        files.add(dataset, comparison.added, actor=actor)
    return comparison
