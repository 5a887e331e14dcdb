"""One mutant put in place and its tests run; and the clean run before, which tells what each test reaches."""

import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from tests.mutants.copies import Bench
from tests.mutants.mutations import Mutant
from tests.mutants.running import Broken

FACTOR, SLACK = 3, 20.0


class Red(Exception):
    """A test fails on the sources as they are."""


@dataclass
class Verdict:
    """What became of a mutant: killed, survived, timeout or accepted; `by` is the test, or why there is none."""

    id: str
    room: str
    path: str
    line: int
    function: str
    kind: str
    before: str
    after: str
    verdict: str
    by: str = ""
    tests: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        because = f"  ({self.by})" if self.by else ""
        return f"{self.verdict:<8}  {self.path}:{self.line}  {self.before} -> {self.after}{because}"

    def row(self) -> dict:
        return asdict(self)


def verdict_of(mutant: Mutant, room: str, verdict: str, by: str = "", **more) -> Verdict:
    return Verdict(
        mutant.id,
        room,
        mutant.path,
        mutant.lines[0],
        mutant.function,
        mutant.kind,
        mutant.before,
        mutant.after,
        verdict,
        by,
        **more,
    )


def reached(bench: Bench, file: str, watched: Iterable[str], without: Collection[str]) -> list[dict]:
    """Run a test file on clean sources, some tests left out: of each test its id as `passed`, its `seconds` and `lines`
    by source. Raises Red for what fails twice: on a busy machine a test may be late once."""
    tests = [test for test in bench.warm.tests if test.partition("::")[0] == file and test not in without]
    if not tests:  # all of them are of another tier
        return []
    order = {"tests": tests, "watched": {path: str(bench.tree / path) for path in watched}}
    said = list(bench.warm.run(order, {}))
    if failure(said):
        said = list(bench.warm.run(order, {}))
    if why := failure(said):
        raise Red(f"The tests must pass before mutants are made, but this one fails: {why[0]}\n{why[1]}")
    return [one for one in said if "passed" in one]


def failure(said: list[dict]) -> tuple[str, str] | None:
    """The test that failed and why."""
    running = ""
    for one in said:
        running = one.get("test", running)
        if "failed" in one:
            return one["failed"], one["why"]
        if "late" in one:
            return one["late"], "It took too long."
        if one.get("ended"):
            return running or "none", f"The process ended with {one['ended']}."
    return None


def judge(bench: Bench, mutant: Mutant, room: str, tests: list[str], seconds: dict[str, float]) -> Verdict:
    """Whether one of these tests notices. `seconds`: how long each takes on clean sources."""
    began = time.monotonic()
    limits = {test: FACTOR * seconds[test] + SLACK for test in tests}
    clean = (bench.root / mutant.path).read_text()
    bench.write(mutant.path, mutant.text)
    try:
        said = None if not mutant.outer else _in_warm(bench, mutant, clean, tests, limits)
        said = _in_new(bench, tests, limits) if said is None else said
    finally:
        bench.write(mutant.path, clean)
    found = failure(said)
    verdict = "survived" if found is None else "timeout" if any("late" in one for one in said) else "killed"
    count = sum("test" in one for one in said)
    return verdict_of(
        mutant, room, verdict, found[0] if found else "", tests=count, seconds=round(time.monotonic() - began, 2)
    )


def _in_warm(bench: Bench, mutant: Mutant, clean: str, tests: list[str], limits: dict[str, float]) -> list[dict] | None:
    """None where the fault cannot be put into what is loaded."""
    fault = {"path": str(bench.tree / mutant.path), "before": clean, "after": mutant.text, "outer": mutant.outer}
    try:
        said = list(bench.warm.run({"tests": tests, "fault": fault}, limits))
    except Broken:
        bench.cool()
        return None
    return None if any("stuck" in one for one in said) else said


def _in_new(bench: Bench, tests: list[str], limits: dict[str, float]) -> list[dict]:
    """In a process that loads the changed sources. Not even loading them is a failure, too."""
    try:
        warm = bench.start(list(dict.fromkeys(test.partition("::")[0] for test in tests)))
    except Broken:
        return [{"failed": "loading", "why": ""}]
    try:
        return list(warm.run({"tests": tests}, limits))
    except Broken:
        return [{"failed": "the process", "why": ""}]
    finally:
        warm.end()
