"""The digest job's reading against md5sum and sha256sum side by side."""

from portal import storage
from tests.benchmarks.harness import MIB, Row, in_turns, random_file, side_by_side

SIZE = 1024 * MIB


def measure(folder):
    path = random_file(folder / "one.bin", SIZE)
    ours, peer, ratio = in_turns(
        lambda: storage.digest(path), lambda: side_by_side(["md5sum", path], ["sha256sum", path])
    )
    yield Row("digest 1 GiB, MD5 and SHA-256", f"{ours:.2f} s", f"{peer:.2f} s", ratio, "<= 1.1", ratio <= 1.1)
