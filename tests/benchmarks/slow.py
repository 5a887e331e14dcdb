"""50 clients send 20 small files each while every fsync takes 10 ms longer, as on a disk or NFS."""

import ftplib
import io
import time
from concurrent.futures import ThreadPoolExecutor

from tests.benchmarks.harness import Row, need, run
from tests.live import Live

CLIENTS, EACH = 50, 20
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fsync(int fd) { usleep(10000); return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) { usleep(10000); return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd); }
"""


def client(live: Live, number: int) -> list[float]:
    waits = []
    with ftplib.FTP() as session:
        session.connect(live.ftp.hostname, live.ftp.port, timeout=60)
        session.login("ines@example.org", "correct horse")
        session.cwd("/OMIX")
        for n in range(EACH):
            began = time.perf_counter()
            session.storbinary(f"STOR slow-{number}-{n}.txt", io.BytesIO(b"small"))
            waits.append(time.perf_counter() - began)
    return waits


def measure(folder):
    need("cc")
    source, shim = folder / "slow.c", folder / "slow.so"
    source.write_text(SHIM)
    run("cc", "-shared", "-fPIC", "-o", shim, source, "-ldl")
    with Live(folder / "instance", LD_PRELOAD=str(shim)) as live:
        live.add("ines@example.org")
        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            waits = sorted(wait for one in pool.map(lambda n: client(live, n), range(CLIENTS)) for wait in one)
        took = time.perf_counter() - began
    rate, p99 = CLIENTS * EACH / took, waits[int(len(waits) * 0.99) - 1]
    yield Row(
        "50 clients x 20 files, fsync + 10 ms: files a second",
        f"{rate:.0f}/s",
        "300/s",
        rate / 300,
        ">= 1",
        rate >= 300,
    )
    yield Row("50 clients x 20 files, fsync + 10 ms: p99", f"{p99:.2f} s", "0.50 s", p99 / 0.5, "<= 1", p99 <= 0.5)
