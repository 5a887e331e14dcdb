"""Tables taken home as TSV or XLSX, written row by row: a million rows need no more memory than ten. What a spreadsheet
would take for a formula is text in both."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

from flask import Response, stream_with_context

KINDS = {
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMULA = ("=", "+", "-", "@")
MOST_ROWS = 1_048_576  # of one sheet
BUFFER_SIZE = 1 << 16
_NAMESPACE = "http://schemas.openxmlformats.org"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def answer(rows: Iterable[Sequence[object]], name: str, kind: str) -> Response:
    """A file to keep. The first row is the header."""
    body = as_tsv(rows) if kind == "tsv" else as_xlsx(rows)
    made = Response(stream_with_context(body), mimetype=KINDS[kind])
    made.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    made.headers["Cache-Control"] = "no-store"
    return made


def as_tsv(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    for row in rows:
        writer.writerow([_marked(value) for value in row])
        if text.tell() > BUFFER_SIZE:
            yield _taken(text)
    yield _taken(text)


def _marked(value: object) -> object:
    """No cell breaks its line, and none begins like a formula."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split()) if not value.isprintable() else value
    return f"'{line}" if line.startswith(FORMULA) else line


def _taken(text: io.StringIO) -> bytes:
    content = text.getvalue()
    text.seek(0)
    text.truncate()
    return content.encode()


class _Pipe(io.RawIOBase):
    """What the zip writer writes, until it is taken."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


def as_xlsx(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A workbook; a second sheet begins where the first is full. Text is never a formula: it is kept as inline text."""
    pipe, source, sheets = _Pipe(), iter(rows), 0
    header = next(source, [])
    following: Sequence[object] | None = header
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as book:
        while following is not None:
            sheets += 1
            with book.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                sheet.write(f'{_HEAD}<worksheet xmlns="{_NAMESPACE}/spreadsheetml/2006/main"><sheetData>'.encode())
                sheet.write(_row(header))
                written = 1
                for following in source:
                    if written == MOST_ROWS:
                        break
                    sheet.write(_row(following))
                    written += 1
                    if len(pipe.parts) > 8:
                        yield pipe.take()
                else:
                    following = None
                if following is not None:
                    source = _again(following, source)
                sheet.write(b"</sheetData></worksheet>")
        for name, text in _frame(sheets).items():
            book.writestr(name, text)
    yield pipe.take()


def _again(row: Sequence[object], rest: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
    yield row
    yield from rest


def _row(values: Sequence[object]) -> bytes:
    return f"<row>{''.join(map(_cell, values))}</row>".encode()


def _cell(value: object) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _frame(sheets: int) -> dict[str, str]:
    """The parts of a workbook around its sheets."""
    numbers = range(1, sheets + 1)
    kind, office = "application/vnd.openxmlformats", f"{_NAMESPACE}/officeDocument/2006/relationships"
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
        f'ContentType="{kind}-officedocument.spreadsheetml.worksheet+xml"/>'
        for n in numbers
    )
    named = "".join(f'<sheet name="Tracking{"" if n == 1 else f" {n}"}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    return {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_NAMESPACE}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{kind}-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{kind}-officedocument.spreadsheetml.sheet.main+xml"/>{types}</Types>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_NAMESPACE}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_NAMESPACE}/spreadsheetml/2006/main" xmlns:r="{office}"><sheets>'
        f"{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_NAMESPACE}/package/2006/relationships">{links}'
        "</Relationships>",
    }
