"""A run: what is tried, with which tests, and what is said of it."""

import argparse
from pathlib import Path

from tests.mutants import ledger, rooms
from tests.mutants.choosing import Chooser, Reach
from tests.mutants.copies import Bench, Jobs
from tests.mutants.judging import Verdict, judge, reached, verdict_of
from tests.mutants.mutations import Mutant, mutants, sample


class Run:
    """One run over a table of rooms, in copies of the tree below `root`. `accepted` is the list of those that nobody
    can notice."""

    def __init__(self, asked: argparse.Namespace, root: Path, table: rooms.Rooms, accepted: Path) -> None:
        self.asked, self.root = asked, root
        self.table = {room: table[room] for room in asked.room or table}
        self.sources = rooms.sources(self.table, root)
        self.texts = {path: (root / path).read_text() for path in self.sources}
        self.every = [one for path, text in self.texts.items() for one in mutants(path, text)]
        self.chosen = self.choose()
        self.accepted = ledger.accepted(accepted, self.sources)
        self.verdicts: list[Verdict] = []

    def choose(self) -> list[Mutant]:
        """As many of each room as of the next, or one more of the first."""
        each, more = divmod(self.asked.count, len(self.table))
        chosen: list[Mutant] = []
        for at, room in enumerate(self.table):
            of_room = [mutant for mutant in self.every if self.room(mutant) == room]
            chosen += sample(of_room, each + (at < more), self.asked.seed)
        return chosen

    def room(self, mutant: Mutant) -> str:
        return self.sources[mutant.path]

    def note(self, verdict: Verdict) -> None:
        print(verdict, flush=True)
        self.verdicts.append(verdict)
        if self.asked.output:
            ledger.keep(self.asked.output, verdict)

    def stale(self) -> list[str]:
        """Accepted lines that fit no mutant any more."""
        return [line for line in self.accepted if not any(ledger.is_accepted(one, [line]) for one in self.every)]

    def waiting(self) -> list[Mutant]:
        """The mutants of the sample that still have to be tried: not those that were before, nor the accepted."""
        known = {one.id: one for one in (ledger.read(self.asked.resume) if self.asked.resume else ())}
        self.verdicts += [known[one.id] for one in self.chosen if one.id in known]
        found = [one for one in self.chosen if one.id not in known]
        for mutant in found:
            if ledger.is_accepted(mutant, self.accepted):
                self.note(verdict_of(mutant, self.room(mutant), "accepted"))
        return [one for one in found if not ledger.is_accepted(one, self.accepted)]

    def try_all(self, waiting: list[Mutant]) -> None:
        """Run the tests of the rooms as they are, then each mutant. Raises Red."""
        files = {room: rooms.tests(self.table, room, self.root) for room in dict.fromkeys(map(self.room, waiting))}
        every = list(dict.fromkeys(file for room in files for file in files[room]))
        self.texts |= {file: (self.root / file).read_text() for file in every}
        with Jobs(self.root, every, self.asked.jobs) as jobs:
            chooser = Chooser(self.reach(jobs, every), self.texts, self.asked.most, self.asked.longest)
            for verdict in jobs.each(waiting, lambda bench, mutant: self.judge(bench, mutant, chooser, files)):
                self.note(verdict)

    def reach(self, jobs: Jobs, files: list[str]) -> Reach:
        found = Reach()
        for rows in jobs.each(files, lambda bench, file: reached(bench, file, self.sources, self.asked.without)):
            for row in rows:
                found.note(row["passed"], row["seconds"], row["lines"])
        seconds = sum(found.seconds.values())
        print(f"{len(found.seconds)} tests pass on the clean sources; they take {seconds:.0f} s.", flush=True)
        return found

    def judge(self, bench: Bench, mutant: Mutant, chooser: Chooser, files: dict[str, list[str]]) -> Verdict:
        room = self.room(mutant)
        tests = chooser.tests(mutant, files[room])
        if not tests:
            return verdict_of(mutant, room, "survived", "not executed")
        return judge(bench, mutant, room, tests, chooser.reach.seconds)
