"""SFF: the common header, then every read's header and data, whose lengths follow from each other."""

import struct

from portal.inspection.limits import Fault, Watch
from portal.inspection.readers import Exact, Reader

_COMMON = struct.Struct(">4s4sQIIHHHB")
_READ = struct.Struct(">HHIHHHH")
BAD = "bad_read_header_length"


def check(source: Reader, watch: Watch) -> None:
    """Raises Fault."""
    fields = Exact(source, Fault("truncated_file", "The SFF ends in the middle."))
    magic, version, index_at, index_length, reads, length, key, flows, code = _COMMON.unpack(fields.take(_COMMON.size))
    if magic != b".sff" or version != b"\0\0\0\1" or code != 1:
        raise Fault("corrupt_file", "The header of the SFF names no version that is known.")
    if length != eight(_COMMON.size + flows + key):
        raise Fault("corrupt_file", "The header of the SFF has a wrong length.")
    fields.skip(length - _COMMON.size)
    bases = 0
    for number in range(reads):
        if fields.offset == index_at and index_length:
            fields.skip(eight(index_length))
        bases += _read(fields, flows, number + 1)
        if number % 1000 == 0:
            watch.tick()
    if not bases:
        raise Fault("missing_read_data", "Its reads have no bases." if reads else "")
    if index_length and fields.offset <= index_at:
        fields.skip(index_at + index_length - fields.offset)


def _read(fields: Exact, flows: int, number: int) -> int:
    length: int
    name: int
    bases: int
    length, name, bases, *_clips = _READ.unpack(fields.take(_READ.size))
    if length != eight(_READ.size + name):
        right = eight(_READ.size + name)
        raise Fault(BAD, f"The header of read {number:,} says that it has {length:,} bytes instead of {right:,}.")
    fields.skip(length - _READ.size + eight(flows * 2 + bases * 3))
    return bases


def eight(length: int) -> int:
    """Everything in an SFF is filled up to a multiple of eight."""
    return length + -length % 8
