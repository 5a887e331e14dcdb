"""SRF: a container header, then blocks, each with its length, up to the index. Numbers are big-endian."""

from portal.inspection.limits import Fault, Watch
from portal.inspection.readers import Exact, Reader

CONTAINER, HEADER, READ, XML, INDEX, NONE = b"S", b"H", b"R", b"X", b"I", b"\0"
SMALLEST = {CONTAINER: 13, HEADER: 10, READ: 7, XML: 5}


def check(source: Reader, watch: Watch) -> None:
    """Raises Fault."""
    fields = Exact(source, Fault("truncated_file", "The SRF ends in the middle of a block."))
    reads = blocks = 0
    while not fields.ended:
        at = fields.offset
        kind = fields.take(1)
        if blocks == 0 and kind != CONTAINER:
            raise _chunk(at)
        reads += _block(fields, kind, at)
        blocks += 1
        if blocks % 1000 == 0:
            watch.tick()
    if not reads:
        raise Fault("missing_read_data")


def _block(fields: Exact, kind: bytes, at: int) -> int:
    """Pass over a block; 1 for one that holds a read."""
    if kind == NONE:
        if any(fields.take(7)):
            raise _chunk(at)
        return 0
    if kind == INDEX:
        _index(fields, at)
        return 0
    if kind not in SMALLEST:
        raise _chunk(at)
    if kind == CONTAINER and fields.take(3) != b"SRF":
        raise _chunk(at)
    length = int.from_bytes(fields.take(4), "big")
    left = length - (fields.offset - at)
    if length < SMALLEST[kind] or left < 0:
        raise _corrupt(at)
    _texts(fields, kind, left, at)
    fields.skip(length - (fields.offset - at))
    return int(kind == READ and length > SMALLEST[READ])


def _texts(fields: Exact, kind: bytes, left: int, at: int) -> None:
    """The short texts at the head of a block must lie inside it."""
    fixed, count = {CONTAINER: (0, 1), HEADER: (1, 1), READ: (1, 1), XML: (0, 0)}[kind]
    fields.take(fixed)
    left -= fixed
    for _ in range(count):
        length = fields.take(1)[0]
        left -= 1 + length
        if left < 0:
            raise _corrupt(at)
        fields.skip(length)


def _index(fields: Exact, at: int) -> None:
    if fields.take(3) != b"hsh":
        raise _chunk(at)
    fields.take(4)
    length = int.from_bytes(fields.take(8), "big")
    if length < 16:
        raise _corrupt(at)
    fields.skip(length - 16)


def _chunk(at: int) -> Fault:
    return Fault(f"bad_chunk_at_offset_{at}", f"What stands at byte {at:,} is no block of an SRF.")


def _corrupt(at: int) -> Fault:
    return Fault(f"corrupt_at_offset_{at}", f"The block of the SRF that begins at byte {at:,} contradicts itself.")
