"""Run the benchmarks named on the command line, or all."""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import digest, download, gunzip, memory, pages, reports, slow, small, tracking, upload
from tests.benchmarks.harness import Row, Skip

EVERY = (digest, gunzip, upload, small, slow, download, memory, pages, tracking, reports)
ALL = {module.__name__.rsplit(".", 1)[-1]: module for module in EVERY}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"No benchmark {', '.join(unknown)}; there are {', '.join(ALL)}.")
        return 2
    missed = 0
    print(f"{'work':<58} {'ours':>10} {'peer':>10} {'ratio':>7}  bar")
    for name in names or ALL:
        with tempfile.TemporaryDirectory(prefix="omix-bench-", dir="/var/tmp") as folder:
            try:
                for row in ALL[name].measure(Path(folder)):
                    show(row)
                    missed += not row.held
            except Skip as reason:
                print(f"{name}: not measured, {reason}")
    return 1 if missed else 0


def show(row: Row) -> None:
    verdict = "held" if row.held else "MISSED"
    print(f"{row.work:<58} {row.ours:>10} {row.peer:>10} {row.ratio:>7.2f}  {row.bar} {verdict}", flush=True)


sys.exit(main(sys.argv[1:]))
