"""BAM: its BGZF blocks with their checksums to the end mark, its header, and whether any read has bases."""

import struct

from portal.inspection.decompression import BGZF, Unpacked
from portal.inspection.limits import Fault, Watch
from portal.inspection.readers import Exact, Reader, drain

LARGEST = 1 << 28
_CORE = struct.Struct("<iiBBHHHi")


def check(source: Reader, watch: Watch) -> None:
    """Raises Fault."""
    blocks = Unpacked(source, BGZF, watch)
    cut = Fault("truncated_file", "The BAM ends in the middle.")
    fields = Exact(blocks, cut)
    _skip_header(fields, watch)
    reads, has_bases = 0, False
    while not has_bases and not fields.ended:
        has_bases = _has_bases(fields)
        reads += 1
        if reads % 1000 == 0:
            watch.tick()
    drain(blocks)
    if blocks.last:
        raise Fault("truncated_file", "The BAM has no end mark: it was cut off between two of its blocks.")
    if not has_bases:
        raise Fault("missing_read_data", "Its reads have no bases." if reads else "")


def _skip_header(fields: Exact, watch: Watch) -> None:
    if fields.take(4) != b"BAM\x01":
        raise Fault("corrupt_file", "It does not begin as a BAM.")
    fields.skip(_length(fields))
    for number in range(_length(fields)):
        fields.skip(_length(fields) + 4)
        if number % 1000 == 0:
            watch.tick()


def _has_bases(fields: Exact) -> bool:
    size = _length(fields)
    if size < _CORE.size + 4:
        raise Fault("corrupt_file", "A read of the BAM is shorter than its fixed part.")
    bases = int.from_bytes(fields.take(20)[16:20], "little", signed=True)
    fields.skip(size - 20)
    if bases < 0 or bases > size * 2:
        raise Fault("corrupt_file", "A read of the BAM has more bases than it has bytes.")
    return bases > 0


def _length(fields: Exact) -> int:
    length = int.from_bytes(fields.take(4), "little", signed=True)
    if not 0 <= length <= LARGEST:
        raise Fault("corrupt_file", "A length in the BAM makes no sense.")
    return length
