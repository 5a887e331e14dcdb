"""An XLSX is a zip of XML that unpacks a thousandfold: it is measured before anything of it is built in memory."""

import io
import zipfile
from typing import IO
from xml.parsers import expat

from portal import errors
from portal.domain.shared import sizes
from portal.messages import say

LARGEST = 128 << 20
MOST_PARTS = 1_000
MOST_ELEMENTS = 6_000_000  # of rows as many as a sheet may have, with every cell filled in
MOST_IN_ROW = 60_000
ROW_DEPTH = 3  # worksheet, sheetData, row; what lies deeper is built up before it is let go


def measure(given: bytes) -> None:
    """Raise Invalid for a book that would take more memory than the largest table needs; anything for none."""
    with zipfile.ZipFile(io.BytesIO(given)) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST:
            raise too_large()
        measured = _Measured()
        for part in parts:
            with packed.open(part) as stream:
                measured.add(stream)


def too_large() -> errors.Invalid:
    """The refusal of a workbook that needs too much memory."""
    text = "This XLSX unpacks to more than a sheet of files needs ({most}). Save the sheet alone, or as TSV."
    return errors.Invalid(fields={"sheet": say("xlsx_too_large", text, most=sizes.size(LARGEST))})


class _Measured:
    """Elements of all parts together, and of each row."""

    def __init__(self) -> None:
        self.elements = self.depth = self.in_row = 0

    def add(self, stream: IO[bytes]) -> None:
        """One part; pictures and the like are no XML and end at once."""
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self.down, self.up
        parser.StartDoctypeDeclHandler = self.refuse
        self.depth = 0
        try:
            parser.ParseFile(stream)
        except expat.ExpatError:
            return

    def down(self, _tag: str, _attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        self.in_row = self.in_row + 1 if self.depth > ROW_DEPTH else 0
        if self.elements > MOST_ELEMENTS or self.in_row > MOST_IN_ROW:
            raise too_large()

    def up(self, _tag: str) -> None:
        self.depth -= 1

    def refuse(self, *_words: object) -> None:
        text = "This XLSX has a DTD (DOCTYPE), which no sheet needs."
        raise errors.Invalid(fields={"sheet": say("xlsx_doctype", text)})
