"""Put mutants into the sources and say which of them the tests notice."""

import argparse
import sys
from pathlib import Path

from tests.mutants import ledger, rooms
from tests.mutants.judging import Red
from tests.mutants.run import Run
from tests.mutants.running import HOUSE, Broken


def parse(words: list[str], table: rooms.Rooms) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants, as many of each room (200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed chooses the same mutants (1)")
    parser.add_argument("--room", action="append", choices=table, help="only this room; may be given again")
    parser.add_argument("--jobs", type=int, default=2, help="how many side by side, each in its own copy (2)")
    parser.add_argument("--most", type=int, default=40, help="at most so many tests for a mutant, nearest first (40)")
    parser.add_argument("--longest", type=float, default=60, help="and at most so many seconds of them (60)")
    parser.add_argument("--without", action="append", default=[], help="leave out the test of this id, if it is red")
    parser.add_argument("--list", action="store_true", help="only show which mutants would be made")
    parser.add_argument("--output", type=Path, help="append each verdict to this file, as lines of JSON")
    parser.add_argument(
        "--resume", type=Path, help="leave out what this file of an earlier run holds, and append to it"
    )
    asked = parser.parse_args(words)
    asked.output = asked.output or asked.resume
    return asked


def main(words: list[str], root: Path = HOUSE, table: rooms.Rooms = rooms.ROOMS, accepted: Path | None = None) -> int:
    asked = parse(words, table)
    run = Run(asked, root, table, accepted or Path(__file__).with_name("accepted.txt"))
    if asked.list:
        for mutant in run.chosen:
            print(f"{mutant.id}  {mutant.path}:{mutant.lines[0]}  {mutant.function}  {mutant.before} -> {mutant.after}")
        return 0
    for line in run.stale():
        print(f"accepted.txt: no mutant is like this any more: {line}")
    try:
        if waiting := run.waiting():
            run.try_all(waiting)
    except (Red, Broken) as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
    print(ledger.table(run.verdicts, run.table))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
