"""FASTQ of four lines a read: whether there are reads and whether the last one is whole. Lines may be of any length."""

from collections import deque

from portal.inspection.limits import Fault, Watch
from portal.inspection.readers import WIDE, Reader, peek

TAIL = 5  # pieces in which the last read is looked for


def check(source: Reader, _watch: Watch) -> None:
    """Raises Fault. Where a read spans more than four lines, lines are not counted."""
    head, source = peek(source)
    first_lines = head.split(b"\n")[:-1]
    if len(first_lines) >= 4 and not any(line.strip() for line in first_lines[1::4]):
        raise Fault("missing_read_data", "Its reads have no bases.")
    lines, tail = 0, deque[bytes](maxlen=TAIL)
    while data := source.read(WIDE):
        lines += data.count(b"\n")
        tail.append(data)
    if all(
        first_lines[at].startswith(b"@") and first_lines[at + 2].startswith(b"+")
        for at in range(0, len(first_lines) - 3, 4)
    ):
        _check_end(lines, b"".join(tail))


def _check_end(lines: int, tail: bytes) -> None:
    text = tail.rstrip(b"\r\n\t ")
    count = lines - tail[len(text) :].count(b"\n") + 1
    last = [line.rstrip(b"\r") for line in text.rsplit(b"\n", 4)[-4:]]
    if count % 4 == 3 and len(last) >= 3 and last[-1].startswith(b"+") and not last[-2]:
        return  # a read that was trimmed to nothing
    if count % 4:
        raise Fault("truncated_file", "It ends in the middle of a read.")
    if len(last) == 4 and last[0].startswith(b"@") and len(last[1]) != len(last[3]):
        raise Fault("truncated_file", "Its last read has not as many qualities as bases.")
