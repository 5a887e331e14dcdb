"""Tar, header by header: old, POSIX and GNU, with long names. Members are read through where they stand."""

import re
from dataclasses import dataclass

from portal.inspection import file_types
from portal.inspection.limits import Fault, Watch
from portal.inspection.members import Listing
from portal.inspection.readers import Buffered, Reader, Torn, drain, fill

BLOCK = 512
LONGEST_NAME, LONGEST_EXTENSION = 64 << 10, 1 << 20
# Types that bear no bytes, whatever their size field says: links, devices, folders, pipes.
EMPTY_TYPES = b"123456"
NO_FILES = EMPTY_TYPES + b"DMV"
_PAX = re.compile(rb"(\d{1,20}) ([^=\n]+)=")
KEYS = (b"path", b"size", b"GNU.sparse.name", b"GNU.sparse.realsize", b"GNU.sparse.size", b"GNU.sparse.major")
MISSING = "tar_missing_terminating_blocks"


@dataclass
class Header:
    """What stands before a member; `length` is what follows it, `size` what the member is once unpacked."""

    name: bytes
    kind: bytes
    length: int
    size: int
    sparse: bool = False


class Section:
    """The bytes of one member."""

    def __init__(self, source: Reader, size: int) -> None:
        self._source, self.left = source, size

    def read(self, most: int, /) -> bytes:
        if not self.left:
            return b""
        data = self._source.read(min(most, self.left))
        if not data:
            raise Fault("tar_error", "The tar ends in the middle of a member.")
        self.left -= len(data)
        return data


class Tar:
    """One walk through a tar. Raises Fault at what cannot be read; members before it are listed."""

    def __init__(self, source: Reader, listing: Listing, watch: Watch) -> None:
        self._source, self._listing, self._watch = Buffered(source), listing, watch
        self._long: bytes | None = None
        self._pax: dict[bytes, bytes] = {}

    def walk(self) -> None:
        while (block := self._header()) is not None:
            self._watch.tick()
            header = self._read(block)
            if header is None:
                continue
            self._member(header)
            self._long, self._pax = None, {}
        drain(self._source)

    def _header(self) -> bytes | None:
        """The next header; None at the end mark, which is two blocks of zeros."""
        block = fill(self._source, BLOCK)
        if len(block) == BLOCK and any(block):
            return block
        if any(block):
            raise Fault("tar_error", "The tar ends in the middle of a header.")
        if len(block) < BLOCK:
            raise Fault(MISSING)
        second = fill(self._source, BLOCK)
        if any(second) or len(second) < BLOCK:
            raise Fault(MISSING, "The tar ends with half of its end mark.")
        return None

    def _read(self, block: bytes) -> Header | None:
        """The header of a member; None for one that only extends the next."""
        if not file_types.has_checksum(block):
            raise Fault("tar_error", "A block that should be a header of the tar is none.")
        length, kind = number(block[124:136]), block[156:157]
        if kind in (b"x", b"X", b"g", b"L", b"K"):
            self._extend(kind, length)
            return None
        size = length
        if b"size" in self._pax:
            length = size = whole(self._pax[b"size"])
        sparse = kind == b"S" or any(key.startswith(b"GNU.sparse") for key in self._pax)
        if kind == b"S":
            size = number(block[483:495])
            extended = block[482]
            while extended:
                extended = self._exactly(BLOCK)[504]
        real = self._pax.get(b"GNU.sparse.realsize") or self._pax.get(b"GNU.sparse.size")
        size = whole(real) if real else size
        return Header(self._name(block), kind, 0 if kind in EMPTY_TYPES else length, size, sparse)

    def _name(self, block: bytes) -> bytes:
        name = block[:100].split(b"\0", 1)[0]
        prefix = block[345:500].split(b"\0", 1)[0]
        if prefix and block[257:263] == b"ustar\0":
            name = prefix + b"/" + name
        return self._pax.get(b"GNU.sparse.name") or self._pax.get(b"path") or self._long or name

    def _extend(self, kind: bytes, length: int) -> None:
        """A long name, or records that speak of the next member."""
        most = LONGEST_EXTENSION if kind in b"xXg" else LONGEST_NAME
        if length > most:
            raise Fault("tar_error", f"A header of the tar says that it is {length:,} bytes long.")
        data = self._exactly(length)
        self._exactly(-length % BLOCK)
        if kind == b"L":
            self._long = data.rstrip(b"\0")
        elif kind in b"xX":
            self._pax = records(data)

    def _exactly(self, count: int) -> bytes:
        data = fill(self._source, count)
        if len(data) < count:
            raise Fault("tar_error", "The tar ends in the middle of a header.")
        return data

    def _member(self, header: Header) -> None:
        section = Section(self._source, header.length)
        is_file = header.kind not in NO_FILES and not header.name.endswith(b"/")
        try:
            if is_file and header.sparse:
                self._listing.add_unread(header.name, header.size)
            elif is_file:
                self._listing.add(header.name, header.size, section)
            drain(section)
        except Torn as torn:
            raise torn.fault from None
        padding = -header.length % BLOCK
        if len(fill(self._source, padding)) < padding:
            raise Fault("tar_error", "The tar ends in the middle of a member.")


def number(field: bytes) -> int:
    """A size: octal digits, or a binary number where the first bit is set."""
    if field[0] == 0x80:
        size = int.from_bytes(field[1:], "big")
    else:
        digits = field.strip(b" \0")
        if digits and not re.fullmatch(rb"[0-7]+", digits):
            raise Fault("tar_error", "A header of the tar holds a size that is none.")
        size = int(digits or b"0", 8)
    return bounded(size)


def whole(digits: bytes) -> int:
    if not re.fullmatch(rb"\d{1,20}", digits):
        raise Fault("tar_error", "A header of the tar holds a size that is none.")
    return bounded(int(digits))


def bounded(size: int) -> int:
    if size >= 1 << 63:
        raise Fault("tar_error", "A header of the tar holds a size that is none.")
    return size


def records(data: bytes) -> dict[bytes, bytes]:
    """The records of a pax header that matter here: length, key, value."""
    values, at = {}, 0
    while at < len(data) and (match := _PAX.match(data, at)):
        end = at + int(match[1])
        if end > len(data) or end <= match.end() - 1:
            break
        if match[2] in KEYS:
            values[match[2]] = data[match.end() : end - 1]
        at = end
    return values
