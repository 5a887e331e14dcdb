"""What came of the mutants: kept as lines of JSON, and told as a table by room."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.judging import Verdict
from tests.mutants.mutations import Mutant


def read(path: Path) -> list[Verdict]:
    """What an earlier run kept; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    return [Verdict(**json.loads(line)) for line in lines if line]


def keep(path: Path, verdict: Verdict) -> None:
    with path.open("a") as writer:
        writer.write(json.dumps(verdict.row(), ensure_ascii=False) + "\n")


def accepted(path: Path, sources: Iterable[str]) -> list[str]:
    """The lines `path:function: before -> after: why` of a list that speak of these sources."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.strip() for line in lines if line.partition(":")[0] in sources]


def is_accepted(mutant: Mutant, lines: Iterable[str]) -> bool:
    return any(line.startswith(f"{mutant.spot}: ") for line in lines)


def table(verdicts: Iterable[Verdict], rooms: Iterable[str]) -> str:
    """By room: tried, killed (those that ran out of time too), survived, accepted."""
    counts = Counter((one.room, "killed" if one.verdict == "timeout" else one.verdict) for one in verdicts)
    lines = [f"{'room':<12} {'tried':>6} {'killed':>7} {'survived':>9} {'accepted':>9}"]
    for room in [*rooms, "all"]:
        row = [
            sum(number for (one, what), number in counts.items() if room in (one, "all") and what == wanted)
            for wanted in ("killed", "survived", "accepted")
        ]
        if sum(row):
            lines.append(f"{room:<12} {row[0] + row[1]:>6} {row[0]:>7} {row[1]:>9} {row[2]:>9}")
    return "\n".join(lines)
