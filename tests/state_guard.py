"""Triggers that refuse what no table of portal/states says: every test database bears them.

`with states_unguarded():` lets a test put rows into states that it would take long to reach.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import product

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from portal import db, states
from portal.models import REBUILDING, Counter
from portal.states.machine import GONE, Machine

# The row of `counter` that lets everything pass, of the transaction that holds it.
OFF = "states unguarded"
_OFF = f"EXISTS (SELECT 1 FROM counter WHERE name = '{OFF}')"
_REBUILDING = f"EXISTS (SELECT 1 FROM counter WHERE name = '{REBUILDING}' AND next = 1)"


def triggers() -> Iterator[str]:
    """What is refused of each table, and the words for it. The conditions are those that any database would ask for."""
    for machine in states.MACHINES:
        yield _trigger(machine, "UPDATE OF state", *_moved(machine))
        yield _trigger(machine, "INSERT", *_made(machine))
        if any(GONE not in machine.targets(state) for state in machine.states):
            yield _trigger(machine, "DELETE", *_gone(machine))


def _trigger(machine: Machine, event: str, refused: str, words: dict[str, str]) -> str:
    # RAISE takes no expression before SQLite 3.47, and Python's own may be older: one sentence for each case.
    said = " ".join(
        f"WHEN {case} THEN RAISE(ABORT, '{machine.name}: {text} is no move')" for case, text in words.items()
    )
    return (
        f'CREATE TRIGGER IF NOT EXISTS "{machine.name} {event.split()[0].lower()}" BEFORE {event} ON {machine.name} '
        f"WHEN ({refused}) AND NOT {_OFF} BEGIN SELECT CASE {said} END; END"
    )


def _moved(machine: Machine) -> tuple[str, dict[str, str]]:
    moves = [f"OLD.state = '{state}' AND NEW.state IN {_listed(machine.targets(state))}" for state in machine.states]
    wrong = {
        f"OLD.state = '{old}' AND NEW.state = '{new}'": f"{old} -> {new}"
        for old, new in product(machine.states, repeat=2)
        if new not in machine.targets(old)
    }
    return f"NEW.state IS NOT OLD.state AND NOT ({' OR '.join(moves)})", wrong


def _made(machine: Machine) -> tuple[str, dict[str, str]]:
    made = f"NEW.state IN {_listed(machine.starts)}"
    if machine.restored:
        made += f" OR {_REBUILDING} AND NEW.state IN {_listed(machine.restored)}"
    return f"NOT ({made})", {f"NEW.state = '{state}'": f"new -> {state}" for state in machine.states}


def _gone(machine: Machine) -> tuple[str, dict[str, str]]:
    kept = [state for state in machine.states if GONE not in machine.targets(state)]
    return f"OLD.state IN {_listed(kept)}", {f"OLD.state = '{state}'": f"{state} -> {GONE}" for state in kept}


def _listed(names: Iterable[str]) -> str:
    return f"({', '.join(repr(name) for name in sorted(names))})"


def install(execute: Callable[[str], object]) -> None:
    """Put the triggers into a database; `execute` runs one statement."""
    for statement in triggers():
        execute(statement)


@contextmanager
def states_unguarded() -> Iterator[Session]:
    """A transaction, or a part of the one that is open, in which a test may write any state."""
    with nullcontext(db.session()) if db.writing() else db.transaction() as session:
        session.flush()
        session.execute(insert(Counter).values(name=OFF, next=1))
        yield session
        session.flush()
        session.execute(delete(Counter).where(Counter.name == OFF))
