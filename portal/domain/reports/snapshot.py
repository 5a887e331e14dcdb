"""What the last report said of each object, so that the next one tells what changed: a file of fixed records beside it,
read and written in one pass. Memory does not grow with it."""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

RECORD = struct.Struct(">QB8s8s")
SOME = 4_000


class SnapshotRow(NamedTuple):
    """One object: its key, whether it was closed, and digests of its content and of what is said of it."""

    key: int
    closed: int
    content: bytes
    facts: bytes


def short(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def read(path: Path | None) -> Iterator[SnapshotRow]:
    """The records of an earlier report, by rising key; none where the file is gone."""
    if path is None or not path.is_file():
        return
    with path.open("rb") as reader:
        while piece := reader.read(RECORD.size * SOME):
            whole = len(piece) - len(piece) % RECORD.size
            yield from map(SnapshotRow._make, RECORD.iter_unpack(piece[:whole]))


class Comparison:
    """Compares objects, given by rising key, with those of the report before, and writes down what the next compares
    with."""

    def __init__(self, before: Path | None, target: BinaryIO) -> None:
        self.before, self.target = read(before), target
        self.next = next(self.before, None)
        self.differs = False
        self.newly_closed = False

    def compare(self, now: SnapshotRow) -> tuple[bool, bool]:
        """Whether the content, and whether anything, of an object is other than it was."""
        self.target.write(RECORD.pack(*now))
        while self.next is not None and self.next.key < now.key:
            self.differs = True  # it is not there any more
            self.next = next(self.before, None)
        was = None
        if self.next is not None and self.next.key == now.key:
            was, self.next = self.next, next(self.before, None)
        self.newly_closed |= bool(now.closed and was is not None and not was.closed)
        content = was is None or was.content != now.content
        changed = was != now
        self.differs |= changed
        return content, changed

    def end(self) -> None:
        """No more objects follow."""
        self.differs |= self.next is not None


class Bitset:
    """A set of whole numbers in one bit each."""

    def __init__(self) -> None:
        self.bits = bytearray()
        self.count = 0

    def add(self, number: int) -> None:
        place, bit = number >> 3, 1 << (number & 7)
        if place >= len(self.bits):
            self.bits.extend(bytes(place + 1 - len(self.bits)))
        if not self.bits[place] & bit:
            self.bits[place] |= bit
            self.count += 1

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self.bits) and bool(self.bits[place] & (1 << (number & 7)))
