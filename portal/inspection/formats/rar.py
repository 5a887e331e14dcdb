"""RAR, of version 5 and before: its headers with their checksums, to the one at the end. Nothing is unpacked."""

import zlib

from portal.inspection.limits import Fault, Stop, Watch
from portal.inspection.readers import Exact, Reader

NEW, OLD = b"Rar!\x1a\x07\x01\x00", b"Rar!\x1a\x07\x00"
LARGEST_HEADER = 2 << 20
ENCRYPTED, LAST = 4, 5
OLD_MAIN, OLD_LAST = 0x73, 0x7B
BAD = "A header of the RAR is damaged."


def check(source: Reader, watch: Watch) -> None:
    """Raises Fault; Stop where the headers are encrypted."""
    fields = Exact(source, Fault("truncated_file", "The RAR ends in the middle."))
    magic = fields.take(7)
    is_new = magic == NEW[:7]
    if not is_new and magic != OLD:
        raise Fault("corrupt_file", "It is a RAR of no version that is known.")
    fields.take(1 if is_new else 0)
    while not (_header(fields) if is_new else _old_header(fields)):
        watch.tick()


def _header(fields: Exact) -> bool:
    """Pass over a header and its data; True for the one at the end."""
    stated = int.from_bytes(fields.take(4), "little")
    width, length = _number(fields)
    if not 0 < length <= LARGEST_HEADER:
        raise Fault("corrupt_file", BAD)
    body = fields.take(length)
    if zlib.crc32(width + body) != stated:
        raise Fault("corrupt_file", BAD)
    inside = Exact(_Bytes(body), Fault("corrupt_file", BAD))
    kind, marks = _number(inside)[1], _number(inside)[1]
    if kind == ENCRYPTED:
        raise Stop("The names in the RAR are encrypted; it was not checked.", inner=True)
    if marks & 1:
        _number(inside)
    fields.skip(_number(inside)[1] if marks & 2 else 0)
    return kind == LAST


def _old_header(fields: Exact) -> bool:
    head = fields.take(7)
    kind, marks, length = head[2], int.from_bytes(head[3:5], "little"), int.from_bytes(head[5:7], "little")
    if length < 7:
        raise Fault("corrupt_file", BAD)
    body = fields.take(length - 7)
    # The one of a comment counts only a part of it.
    if kind != 0x75 and zlib.crc32(head[2:] + body) & 0xFFFF != int.from_bytes(head[:2], "little"):
        raise Fault("corrupt_file", BAD)
    if kind == OLD_MAIN and marks & 0x80:
        raise Stop("The names in the RAR are encrypted; it was not checked.", inner=True)
    more = int.from_bytes(body[:4], "little") if marks & 0x8000 else 0
    if kind == 0x74 and marks & 0x100 and len(body) >= 33:
        more |= int.from_bytes(body[25:29], "little") << 32
    fields.skip(more)
    return kind == OLD_LAST or (kind != OLD_MAIN and fields.ended)


def _number(fields: Exact) -> tuple[bytes, int]:
    """Variable-length integer, seven bits a byte, the lowest first: its bytes as read, and its value."""
    written, value = b"", 0
    for place in range(10):
        byte = fields.take(1)
        written += byte
        value |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return written, value
    raise Fault("corrupt_file", BAD)


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _most: int, /) -> bytes:
        data, self._data = self._data, b""
        return data
