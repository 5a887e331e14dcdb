"""Zstandard: its frames and the lengths of their blocks, to the end. What the blocks hold is not unpacked."""

from portal.inspection.limits import Fault, Watch
from portal.inspection.readers import Exact, Reader

MAGIC = b"\x28\xb5\x2f\xfd"
LARGEST_BLOCK = 128 << 10


def check(source: Reader, watch: Watch) -> None:
    """Raises Fault."""
    fields = Exact(source, Fault("truncated_file", "The zstd stream ends in the middle."))
    while not fields.ended:
        magic = fields.take(4)
        if magic[1:] == b"\x2a\x4d\x18" and magic[0] >> 4 == 5:
            fields.skip(_number(fields, 4))
        elif magic == MAGIC:
            _frame(fields, watch)
        else:
            raise Fault("corrupt_file", "Bytes that are no zstd follow the end of the stream.")


def _frame(fields: Exact, watch: Watch) -> None:
    marks = fields.take(1)[0]
    if marks & 8:
        raise Fault("corrupt_file", "A frame of the zstd stream is damaged.")
    single, size = marks >> 5 & 1, marks >> 6
    fields.take((0 if single else 1) + (0, 1, 2, 4)[marks & 3] + (single, 2, 4, 8)[size])
    last = 0
    while not last:
        watch.tick()
        header = _number(fields, 3)
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        if kind == 3 or length > LARGEST_BLOCK:
            raise Fault("corrupt_file", f"A block of the zstd stream is damaged before byte {fields.offset:,}.")
        fields.skip(1 if kind == 1 else length)
    fields.take(4 if marks & 4 else 0)


def _number(fields: Exact, width: int) -> int:
    return int.from_bytes(fields.take(width), "little")
