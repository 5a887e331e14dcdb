"""Which tests run a changed line, the nearest first."""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import PurePath

from tests.mutants.mutations import Mutant


@dataclass
class Reach:
    """What a room's tests run: by file and line the tests, and how long each took (s)."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def note(self, test: str, seconds: float, lines: dict[str, list[int]]) -> None:
        self.seconds[test] = seconds
        for path, numbers in lines.items():
            for number in numbers:
                self.lines.setdefault((path, number), set()).add(test)

    def of(self, path: str, numbers: Iterable[int]) -> set[str]:
        return set().union(*(self.lines.get((path, number), ()) for number in numbers))

    def of_module(self, path: str) -> set[str]:
        return set().union(*(tests for (one, _line), tests in self.lines.items() if one == path))


@dataclass
class Chooser:
    """The tests of each mutant: at most so many, which take at most so long (s) but for the first. `texts` are the
    sources and the test files, by path."""

    reach: Reach
    texts: dict[str, str]
    most: int
    longest: float

    def tests(self, mutant: Mutant, files: list[str]) -> list[str]:
        """Ids of tests in these files, the nearest first; none where no test runs the line."""
        ranked = self._ranked(mutant, files)[: self.most]
        sums = list(accumulate(self.reach.seconds[test] for test in ranked))
        return [test for test, total in zip(ranked, sums, strict=True) if total <= max(self.longest, sums[0])]

    def _ranked(self, mutant: Mutant, files: list[str]) -> list[str]:
        within = {test for test in self.reach.seconds if test.partition("::")[0] in files}
        for first, last in (mutant.lines, mutant.near):
            if found := self.reach.of(mutant.path, range(first, last + 1)) & within:
                return self._nearest(found, mutant)
        if not mutant.outer:
            return self._at_import(mutant, within)
        if self.reach.of_module(mutant.path):
            return []
        mentioning = {test for test in within if self._mentions(test, mutant)}
        return self._nearest(mentioning, mutant)

    def _at_import(self, mutant: Mutant, within: set[str]) -> list[str]:
        """What runs while the module is loaded is tried with the tests that run where its name stands, then with all
        that run the module."""
        naming = self._naming(mutant.name) & within
        others = self.reach.of_module(mutant.path) & within - naming
        return self._nearest(naming, mutant) + self._nearest(others, mutant)

    def _naming(self, name: str) -> set[str]:
        found: set[str] = set()
        for path in {path for path, _line in self.reach.lines}:
            found |= self.reach.of(path, _lines_with(name, self.texts[path]))
        return found

    def _nearest(self, tests: set[str], mutant: Mutant) -> list[str]:
        """One variant of each test before the other variants; those whose file names the module first; then the
        quickest."""
        ranked = []
        seen: set[str] = set()
        for test in sorted(tests, key=lambda one: (self.reach.seconds[one], one)):
            plain = test.partition("[")[0]
            ranked.append((plain in seen, not self._mentions(test, mutant), self.reach.seconds[test], test))
            seen.add(plain)
        return [test for *_rank, test in sorted(ranked)]

    def _mentions(self, test: str, mutant: Mutant) -> bool:
        """Whether the file of a test names the module of a mutant."""
        stem = re.escape(PurePath(mutant.path).stem)
        return re.search(rf"\b{stem}\b", self.texts[test.partition("::")[0]]) is not None


def _lines_with(name: str, text: str) -> set[int]:
    """The first lines of the statements in which a name, or an attribute of that name, stands."""
    nodes = list(ast.walk(ast.parse(text)))
    starts = sorted({node.lineno for node in nodes if isinstance(node, ast.stmt)})
    named = (node for node in nodes if name in (getattr(node, "id", None), getattr(node, "attr", None)))
    return {starts[bisect_right(starts, node.lineno) - 1] for node in named}
