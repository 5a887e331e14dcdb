"""The progress chart of a dataset's files: one tick a file, whose height says how far it has come.

Above 24 files the ticks melt into one block per group, as wide as its share. The sentence always stands beside it.
"""

from collections.abc import Mapping
from typing import NamedTuple

GROUPS = (  # key, tone, height of 14, words; the order in which they are drawn and said
    ("archived", "t-ok", 14, "archived"),
    ("checked", "t-ok", 14, "checked"),
    ("fault", "t-bad", 14, "with a fault"),
    ("work", "t-info", 9, "in work"),
    ("received", "t-wait", 6, "received"),
    ("waiting", "t-wait", 3, "waiting"),
)
SINGLE = 24
GAP, LEAST = 0.8, 2.5


class Tick(NamedTuple):
    """A rectangle of the chart, on a ground of 100 by 14."""

    tone: str
    x: float
    y: int
    width: float
    height: int


def drawn(counts: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """(tone, height, number) of each group that has files, in the order in which they are drawn."""
    return [(tone, height, counts[key]) for key, tone, height, _ in GROUPS if counts.get(key)]


def ticks(counts: Mapping[str, int]) -> list[Tick]:
    """The rectangles that are drawn for counts by group."""
    groups = drawn(counts)
    total = sum(n for _, _, n in groups)
    return singles(groups, total) if total <= SINGLE else blocks(groups, total)


def singles(groups: list[tuple[str, int, int]], total: int) -> list[Tick]:
    files = [(tone, height) for tone, height, n in groups for _ in range(n)]
    step = 100 / total if total else 0
    return [
        Tick(tone, round(i * step, 2), 14 - height, round(step - 1.6, 2), height)
        for i, (tone, height) in enumerate(files)
    ]


def blocks(groups: list[tuple[str, int, int]], total: int) -> list[Tick]:
    """One block a group, as wide as its share: a group of one among thousands still gets a width one can see; the
    large ones give it."""
    room = 100 - GAP * (len(groups) - 1)
    wide = [max(LEAST, room * n / total) for _, _, n in groups]
    spare = sum(w - LEAST for w in wide)
    over = sum(wide) - room
    result, x = [], 0.0
    for (tone, height, _), width in zip(groups, wide, strict=True):
        width -= over * (width - LEAST) / spare
        result.append(Tick(tone, round(x, 2), 14 - height, round(width, 2), height))
        x += width + GAP
    return result


def sentence(counts: Mapping[str, int]) -> str:
    """The counts in words: 2 archived, 3 with a fault, 1 waiting, 2 set aside."""
    parts = [f"{counts[key]:,} {words}" for key, _, _, words in GROUPS if counts.get(key)]
    if counts.get("aside"):
        parts.append(f"{counts['aside']:,} set aside")
    return ", ".join(parts) or "no files yet"
