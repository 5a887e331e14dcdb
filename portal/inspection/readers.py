"""Readers: read(n) gives at most n bytes and none at the end. They stand on each other: file, stream, member."""

import hashlib
import os
from typing import Protocol

from portal.faults import point
from portal.inspection.limits import Fault, Watch

READ_SIZE = 128 << 10
WIDE = 256 << 10
HEAD = 64 << 10


class Reader(Protocol):
    def read(self, most: int, /) -> bytes: ...


class Torn(Exception):
    """What a member is read from broke: the package, not the member, is at fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.word)
        self.fault = fault


class Span:
    """A part of the open file. The descriptor's own place in it is not used."""

    def __init__(self, handle: int, watch: Watch, *, start: int = 0, size: int) -> None:
        self._handle, self._watch, self._at, self._end = handle, watch, start, start + size

    def read(self, most: int, /) -> bytes:
        point("inspect.read")
        data = os.pread(self._handle, min(most, self._end - self._at), self._at)
        self._at += len(data)
        self._watch.at(self._at)
        return data


class Peeked:
    """A reader whose first bytes were looked at already."""

    def __init__(self, head: bytes, source: Reader) -> None:
        self._head, self._source = head, source

    def read(self, most: int, /) -> bytes:
        if self._head:
            piece, self._head = self._head[:most], self._head[most:]
            return piece
        return self._source.read(most)


class Buffered:
    """Small reads from large ones."""

    def __init__(self, source: Reader) -> None:
        self._source, self._held, self._at = source, b"", 0

    def read(self, most: int, /) -> bytes:
        if self._at == len(self._held):
            if most >= READ_SIZE:
                return self._source.read(most)
            self._held, self._at = self._source.read(READ_SIZE), 0
        data = self._held[self._at : self._at + most]
        self._at += len(data)
        return data


class Tally:
    """Counts and digests what passes; tells a fault of what it reads from apart from one of its content."""

    def __init__(self, source: Reader) -> None:
        self._source, self.size = source, 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def read(self, most: int, /) -> bytes:
        try:
            data = self._source.read(most)
        except Fault as fault:
            raise Torn(fault) from None
        self.size += len(data)
        self._md5.update(data)
        return data

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()


def fill(source: Reader, count: int) -> bytes:
    """Exactly `count` bytes, fewer only at the end."""
    data = source.read(count)
    if len(data) == count or not data:
        return data
    parts, missing = [data], count - len(data)
    while missing and (data := source.read(missing)):
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def peek(source: Reader, count: int = HEAD) -> tuple[bytes, Reader]:
    """The first bytes, and a reader that begins with them."""
    head = fill(source, count)
    return head, Peeked(head, source)


def drain(source: Reader) -> int:
    """Read to the end; returns how much that was."""
    count = 0
    while data := source.read(WIDE):
        count += len(data)
    return count


class Exact:
    """Fields of a fixed length, one after the other. `short` is raised where the bytes end before the field does."""

    def __init__(self, source: Reader, short: Fault) -> None:
        self._source, self._short, self._held, self._at, self.offset = source, short, b"", 0, 0

    def take(self, count: int) -> bytes:
        """The next field; fields are small."""
        if len(self._held) - self._at < count:
            left = self._held[self._at :]
            self._held, self._at = left + fill(self._source, max(READ_SIZE, count) - len(left)), 0
        data = self._held[self._at : self._at + count]
        self._at += len(data)
        self.offset += len(data)
        if len(data) < count:
            raise self._short
        return data

    def skip(self, count: int) -> None:
        """Pass over bytes of any number."""
        while count:
            piece = min(count, max(len(self._held) - self._at, READ_SIZE))
            self.take(piece)
            count -= piece

    @property
    def ended(self) -> bool:
        if self._at == len(self._held):
            self._held, self._at = self._source.read(READ_SIZE), 0
        return self._at == len(self._held)
