"""Every mutant of a module: one small fault each, found by ast and put in by replacing text."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from tests.mutants.source import Source
from tests.mutants.walking import edits

SHOWN = 80


@dataclass(frozen=True)
class Mutant:
    """One fault. `text` is the whole module with it; `lines` are those of the changed node and `near` those of its
    statement or, for the default of an argument, of its function. `outer` is the function or method that must be
    exchanged to put it in place, empty where the line runs at import; `name` is what such a line makes known."""

    id: str
    path: str
    kind: str
    function: str
    outer: str
    name: str
    lines: tuple[int, int]
    near: tuple[int, int]
    before: str
    after: str
    text: str

    @property
    def spot(self) -> str:
        """How accepted.txt names it."""
        return f"{self.path}:{self.function}: {self.before} -> {self.after}"


def mutants(path: str, text: str) -> list[Mutant]:
    """Every mutant of a module in the order of the text, a few of which do not compile: sample() leaves them out."""
    source = Source(path, text)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    texts = {text}
    for edit, place in edits(source, source.tree):
        changed = source.changed(edit)
        if changed in texts:
            continue
        texts.add(changed)
        before, after = source.told(edit, [*place.above, edit.node])
        function = ".".join(place.names) or "module"
        key = f"{path}:{function}:{edit.kind}:{before}->{after}"
        seen[key] += 1
        lines = edit.node.lineno, edit.node.end_lineno
        found.append(
            Mutant(
                digest(f"{key}#{seen[key]}"),
                path,
                edit.kind,
                function,
                place.outer,
                place.name,
                lines,
                place.near,
                short(before),
                short(after),
                changed,
            )
        )
    return found


def sample(every: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them, the same for the same seed: a larger sample begins with the smaller one, and a change of the
    sources moves only the mutants of its lines."""
    shuffled = sorted(every, key=lambda mutant: digest(f"{seed}:{mutant.id}"))
    return list(islice((mutant for mutant in shuffled if compiles(mutant.text)), count))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
