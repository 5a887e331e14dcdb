"""Zip, by its directory at the end: every member is unpacked to nowhere and compared with what the directory says."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from isal import isal_zlib

from portal.inspection.decompression import DEFLATE, ZIPPED_BZIP2, Unpacked
from portal.inspection.limits import Fault, Stop, Watch
from portal.inspection.members import Listing
from portal.inspection.readers import Exact, Reader, Span, Torn, drain

WORD = "unzip_error"
END, END64 = 22, 56
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
CODECS = {8: DEFLATE, 12: ZIPPED_BZIP2}
BIG, MANY = 0xFFFFFFFF, 0xFFFF


@dataclass(slots=True)
class Entry:
    """A member as the directory tells of it."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


@dataclass(slots=True)
class Directory:
    """Where the directory lies."""

    count: int
    start: int
    length: int


class Zip:
    """One walk through a zip. Raises Fault at what cannot be read."""

    def __init__(self, handle: int, size: int, listing: Listing | None, watch: Watch) -> None:
        self._handle, self._size, self._listing, self._watch = handle, size, listing, watch

    def walk(self) -> None:
        directory = self._find()
        bounds = self._watch.bounds
        if directory.count > bounds.members or directory.length > bounds.names + bounds.members * 128:
            raise Stop(f"It holds more than {bounds.members:,} members, which are not listed.")
        entries = list(self._entries(directory))
        self._compare_places(entries, directory)
        for entry in entries:
            self._watch.tick()
            if not entry.name.endswith(b"/"):
                self._member(entry)

    def _find(self) -> Directory:
        """The end record: the last one whose comment reaches the end of the file, else the last."""
        length = min(self._size, END + MANY)
        tail = os.pread(self._handle, length, self._size - length)
        at = tail.rfind(b"PK\5\6")
        end = -1
        while at >= 0 and end < 0:
            if at + END <= len(tail) and at + END + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
                end = at
            at = tail.rfind(b"PK\5\6", 0, at)
        if end < 0:
            raise Fault(WORD, "The zip has no directory at its end: it was cut off, or bytes follow it.")
        disk, first, _here, count, size, start = struct.unpack("<4H2L", tail[end + 4 : end + 20])
        place = self._size - length + end
        if count == MANY or size == BIG or start == BIG or disk == MANY:
            return self._find_large(place, count, size, start)
        if disk or first:
            raise Stop("It is a part of a zip of several parts, which was not checked.")
        return self._directory(count, start, size, place)

    def _find_large(self, place: int, count: int, size: int, start: int) -> Directory:
        locator = os.pread(self._handle, 20, max(0, place - 20))
        if locator[:4] != b"PK\6\7":
            return self._directory(count, start, size, place)
        at = int.from_bytes(locator[8:16], "little")
        for where in (at, place - 20 - END64):
            record = os.pread(self._handle, END64, where) if 0 <= where < self._size else b""
            if record[:4] == b"PK\6\6" and len(record) == END64:
                count, size, start = struct.unpack("<3Q", record[32:56])
                return self._directory(count, start, size, where)
        raise Fault(WORD, "The directory of the zip is not where its end says.")

    def _directory(self, count: int, start: int, length: int, place: int) -> Directory:
        if start + length > place:
            raise Fault(WORD, "The directory of the zip is not where its end says.")
        return Directory(count, start, length)

    def _entries(self, directory: Directory) -> Iterator[Entry]:
        cut = Fault(WORD, "The directory of the zip ends in the middle.")
        fields = Exact(Span(self._handle, self._watch, start=directory.start, size=directory.length), cut)
        for number in range(directory.count):
            if number % 1000 == 0:
                self._watch.tick()
            record = _ENTRY.unpack(fields.take(_ENTRY.size))
            if record[0] != b"PK\1\2":
                raise Fault(WORD, f"Entry {number + 1:,} of the directory of the zip is none.")
            entry = Entry(fields.take(record[10]), record[3], record[4], record[7], record[8], record[9], record[16])
            enlarge(entry, fields.take(record[11]))
            fields.skip(record[12])
            yield entry
        if not fields.ended:
            raise Fault(WORD, "The directory of the zip holds more than its end says.")

    def _compare_places(self, entries: list[Entry], directory: Directory) -> None:
        """Members that share bytes are no honest zip: a few bytes would become very many."""
        end = 0
        for entry in sorted(entries, key=lambda member: member.offset):
            if entry.offset < end:
                raise Fault(WORD, "Members of the zip lie over each other.")
            end = entry.offset + _LOCAL.size + len(entry.name) + entry.packed
        if end > directory.start:
            raise Fault(WORD, "Members of the zip reach into its directory.")

    def _member(self, entry: Entry) -> None:
        span = Span(self._handle, self._watch, start=self._data(entry), size=entry.packed)
        source: Reader = span
        if entry.flags & 1 or entry.method not in (0, *CODECS):
            if self._listing is not None:
                self._listing.add_unread(entry.name, entry.size)
            return
        if entry.method:
            source = Unpacked(span, CODECS[entry.method], self._watch)
        self._go_through(entry, source)

    def _data(self, entry: Entry) -> int:
        """Where the bytes of a member begin, behind a header that must say what the directory says."""
        at = entry.offset
        header = os.pread(self._handle, _LOCAL.size, at)
        if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
            raise Fault(WORD, "A member of the zip is not where its directory says.")
        record = _LOCAL.unpack(header)
        name_length, extra_length = int(record[9]), int(record[10])
        if os.pread(self._handle, name_length, at + _LOCAL.size) != entry.name or record[3] != entry.method:
            raise Fault(WORD, "A member of the zip is called otherwise than its directory says.")
        return at + _LOCAL.size + name_length + extra_length

    def _go_through(self, entry: Entry, source: Reader) -> None:
        exact = Measured(source, entry)
        if self._listing is None:
            drain(exact)
            return
        try:
            self._listing.add(entry.name, entry.size, exact)
        except Torn as torn:
            self._listing.blame(self._listing.members[-1], torn.fault)


class Measured:
    """A member that must have the size and checksum its directory says."""

    def __init__(self, source: Reader, entry: Entry) -> None:
        self._source, self._entry = source, entry
        self._size = self._crc = 0

    def read(self, most: int, /) -> bytes:
        data = self._source.read(most)
        self._size += len(data)
        self._crc = isal_zlib.crc32(data, self._crc)
        entry = self._entry
        if self._size > entry.size or (not data and (self._size, self._crc) != (entry.size, entry.crc)):
            raise Fault(WORD, "It is not what the directory of the zip says: its length or checksum differs.")
        return data


def enlarge(entry: Entry, extra: bytes) -> None:
    """Numbers too large for their field stand in an extra one."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            values = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            entry.size = next(values, BIG) if entry.size == BIG else entry.size
            entry.packed = next(values, BIG) if entry.packed == BIG else entry.packed
            entry.offset = next(values, BIG) if entry.offset == BIG else entry.offset
            return
        at += 4 + length
