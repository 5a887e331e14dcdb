"""What a table of states is made of: moves, and the machine that they make."""

import textwrap
from dataclasses import dataclass

# The target of a move that removes the row.
GONE = "gone"


@dataclass(frozen=True)
class Move:
    """One row of a table: what is done, from where, to where, by whom, and the word on its button."""

    action: str
    sources: tuple[str, ...]
    target: str
    by: tuple[str, ...]
    word: str = ""
    note_needed: bool = False
    danger: bool = False


@dataclass(frozen=True)
class Machine:
    """The states of one thing and the moves between them.

    `name` is that of its database table. A row is made in one of `starts`; a rebuild from the bags makes rows in any of
    `restored` besides. `about` is a paragraph for docs/states.md.
    """

    name: str
    states: tuple[str, ...]
    moves: tuple[Move, ...]
    starts: tuple[str, ...]
    restored: tuple[str, ...] = ()
    about: str = ""

    def find(self, action: str) -> Move | None:
        return next((move for move in self.moves if move.action == action), None)

    def available(self, state: str, roles: set[str]) -> list[Move]:
        """What somebody with these roles may do to a thing in this state."""
        return [move for move in self.moves if state in move.sources and roles & set(move.by)]

    def targets(self, state: str) -> set[str]:
        """Where a row in this state may go next, GONE where it may be removed."""
        return {move.target for move in self.moves if state in move.sources}

    def check(self, column: str = "state") -> str:
        """The CHECK constraint of the column that holds the state."""
        return f"{column} IN ({', '.join(repr(state) for state in self.states)})"

    def as_markdown(self) -> str:
        rows = ["| action | from | to | by |", "|---|---|---|---|"]
        for move in self.moves:
            rows.append(f"| {move.action} | {', '.join(move.sources)} | {move.target} | {', '.join(move.by)} |")
        return "\n".join(rows)


INTRODUCTION = """Made by `python -m portal.states > docs/states.md` from the tables in `portal/states/`; a test keeps
this page equal to them. The buttons, the API and the CHECKs of the database read the same tables. Every change of a
state goes through `transition()` in `portal/domain/shared/transitions.py`, and in tests triggers of the database refuse
any that is not in a table. What goes to `gone` is removed from the database."""


def as_page(machines: tuple[Machine, ...]) -> str:
    """docs/states.md: every machine with its paragraph, where it starts, and its table."""
    parts = ["# States and moves", INTRODUCTION]
    for machine in machines:
        parts += [f"## {machine.name.capitalize()}", _paragraph(machine.about), _paragraph(_starts(machine))]
        parts.append(machine.as_markdown())
    return "\n\n".join(parts) + "\n"


def _starts(machine: Machine) -> str:
    text = f"It starts as {' or '.join(machine.starts)}."
    if machine.restored:
        text += f" A rebuild from the bags makes it as {', '.join(machine.restored)} too."
    return text


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)
