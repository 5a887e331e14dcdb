"""The whole inspection of a .gz, which reads it to its end, against `gzip -t`: reads as a sequencer writes them."""

import os
import subprocess

from portal import inspection
from tests.benchmarks.harness import MIB, Row, in_turns, need, run

SIZE = 384 * MIB
BASES = bytes(b"ACGT"[byte % 4] for byte in range(256))
QUALITIES = bytes(b"FFFFFFFFFFFF:,#F"[byte % 16] for byte in range(256))


def reads(size: int) -> bytes:
    """About so many bytes of FASTQ."""
    count, length = size // 340, 150
    bases, qualities = os.urandom(count * length).translate(BASES), os.urandom(count * length).translate(QUALITIES)
    lines = []
    for n in range(count):
        at = slice(n * length, (n + 1) * length)
        lines.append(b"@SIM:1:FCX:1:%07d 1:N:0:ATCACG\n%b\n+\n%b\n" % (n, bases[at], qualities[at]))
    return b"".join(lines)


def look(path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        report = inspection.inspect(handle, name=path.name, size=os.fstat(handle).st_size)
    finally:
        os.close(handle)
    if (report.file_type, report.error, report.unchecked) != ("GZ", None, ""):
        raise RuntimeError(f"the file is not whole: {report}")


def measure(folder):
    need("gzip")
    path = folder / "reads.fastq"
    block = reads(16 * MIB)
    with path.open("wb") as writer:
        for _ in range(SIZE // len(block)):
            writer.write(block)
    subprocess.run(["gzip", str(path)], check=True)
    packed = path.with_name("reads.fastq.gz")
    ours, peer, ratio = in_turns(lambda: look(packed), lambda: run("gzip", "-t", packed))
    label = f"inspection of a .gz of {SIZE // MIB} MiB unpacked, against gzip -t"
    yield Row(label, f"{ours:.2f} s", f"{peer:.2f} s", ratio, "<= 0.5", ratio <= 0.5)
