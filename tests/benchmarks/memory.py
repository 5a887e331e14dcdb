"""Memory of all processes (proportional set size): idle, and while 10 GiB arrive over 20 connections."""

import subprocess
import threading
import time
from pathlib import Path

from tests.benchmarks.harness import MIB, Row, need, random_file
from tests.live import Live

CONNECTIONS, EACH = 20, 512 * MIB


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [pid]
    if children.exists():
        for child in children.read_text().split():
            found += family(int(child))
    return found


def pss(pid: int) -> int:
    """Bytes of a process and its children, shared pages counted once."""
    total = 0
    for one in family(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def measure(folder):
    need("curl")
    path = random_file(folder / "part.bin", EACH)
    with Live(folder / "instance") as live:
        live.add("ines@example.org")
        time.sleep(3)
        idle = pss(live.process.pid)
        peak, over = idle, threading.Event()

        def watch():
            nonlocal peak
            while not over.wait(0.25):
                peak = max(peak, pss(live.process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        words = ["curl", "-sS", "-T", str(path), "--user", "ines@example.org:correct horse"]
        senders = [subprocess.Popen([*words, f"ftp://{live.ftp_host}/OMIX/part-{n}.bin"]) for n in range(CONNECTIONS)]
        failed = [one for one in senders if one.wait()]
        over.set()
        watcher.join()
    if failed:
        raise RuntimeError("an upload failed")
    more = peak - idle
    yield Row("memory, idle", f"{idle / MIB:.0f} MiB", "300 MiB", idle / (300 * MIB), "<= 1", idle <= 300 * MIB)
    yield Row(
        "memory, while 10 GiB arrive over 20 connections: more",
        f"{more / MIB:.0f} MiB",
        "100 MiB",
        more / (100 * MIB),
        "<= 1",
        more <= 100 * MIB,
    )
