"""The table of states, those who read it, and that one module alone moves rows along it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import states
from portal.config import ROOT


@pytest.mark.parametrize("machine", states.MACHINES, ids=lambda machine: machine.name)
def test_every_move_stands_between_known_states(machine):
    known = {*machine.states, states.GONE}

    assert {state for move in machine.moves for state in (*move.sources, move.target)} <= known


@pytest.mark.parametrize("machine", states.MACHINES, ids=lambda machine: machine.name)
def test_every_state_is_reached_from_the_first(machine):
    reached = {machine.states[0]}
    for _ in machine.states:
        reached |= {move.target for move in machine.moves if reached & set(move.sources)}

    assert set(machine.states) <= reached


@pytest.mark.parametrize("machine", states.MACHINES, ids=lambda machine: machine.name)
def test_docs_show_the_table(machine):
    page = Path(ROOT / "docs" / "states.md").read_text()

    assert machine.as_markdown() in page


def test_final_states_are_these():
    final = {state for state in states.DATASET.states if not any(state in m.sources for m in states.DATASET.moves)}

    assert final == {states.WITHDRAWN}


def test_every_state_is_shown():
    assert set(states.FILE.states) <= set(states.SHOWN_FILE)
    assert set(states.UPLOAD.states) <= set(states.SHOWN_UPLOAD)
    assert set(states.DATASET.states) <= set(states.SHOWN_DATASET)
    assert set(states.DATASET.states) == set(states.STATUS)


WRITING_SQL = re.compile(r"\bUPDATE\b.*\bSET\b(?:(?!\bWHERE\b).)*\bstate\s*=", re.IGNORECASE | re.DOTALL)


def writes_of_state(tree: ast.AST) -> Iterator[int]:
    """Lines that write a state of a row: `x.state = ...`, setattr, SQL as text, and the values of an UPDATE, chained to
    it or bound to a name before. A first state is no move: the keyword of a constructor, the values of an insert()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store):
            yield node.lineno
        elif isinstance(node, ast.Call):
            yield from _writing_call(node)
        elif isinstance(node, ast.Constant) and WRITING_SQL.search(str(node.value)):
            yield node.lineno


def _writing_call(call: ast.Call) -> Iterator[int]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("setattr", "set_committed_value") and any(_is_state(argument) for argument in call.args):
        yield call.lineno
    if name == "values" and not _inserts(call.func):
        if any(keyword.arg == "state" for keyword in call.keywords):
            yield call.lineno
        given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg is None)]
        for mapping in (argument for argument in given if isinstance(argument, ast.Dict)):
            yield from (key.lineno for key in mapping.keys if key is not None and _is_state(key))
    if name == "update" and any(keyword.arg == "state" for keyword in call.keywords):
        yield call.lineno
    if name in ("update", "execute", "on_conflict_do_update"):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        rows = [node for argument in given for node in ast.walk(argument) if isinstance(node, ast.Dict)]
        if name != "execute" or "insert" not in ast.unparse(call):
            yield from (row.lineno for row in rows for key in row.keys if key is not None and _is_state(key))


def _is_state(node: ast.AST) -> bool:
    return ast.unparse(node) in ("'state'", "state") or (isinstance(node, ast.Attribute) and node.attr == "state")


def _inserts(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) and ast.unparse(part.func).endswith("insert") for part in ast.walk(node))


@pytest.mark.parametrize(
    "line",
    [
        "file.state = states.ERROR",
        "file.error, file.state = None, word",
        "setattr(file, 'state', word)",
        "update(File).where(File.id == 1).values(state=word)",
        "statement.values({'state': word})",
        "statement.values({File.state: word})",
        "statement.values(**{'state': word})",
        "text('UPDATE file SET error = NULL, state = :word')",
        "db.session.query(File).update({'state': word})",
        "connection.execute(statement, [{'id': 1, 'state': word}])",
        "insert(File).on_conflict_do_update(index_elements=['id'], set_={'state': word})",
    ],
)
def test_write_of_a_state_is_seen(line):
    assert list(writes_of_state(ast.parse(line))) == [1]


@pytest.mark.parametrize(
    "line",
    ["File(state=states.WAITING)", "insert(File).values(state=word)", "select(File).where(File.state == word)"],
)
def test_first_state_and_reading_are_no_moves(line):
    assert not list(writes_of_state(ast.parse(line)))


def test_transitions_alone_write_states():
    paths = [path for room in ("portal", "ftp") for path in (ROOT / room).rglob("*.py")]
    found = {
        str(path.relative_to(ROOT)): lines
        for path in paths
        if "migrations" not in path.parts and (lines := list(writes_of_state(ast.parse(path.read_text()))))
    }

    assert set(found) == {"portal/domain/shared/transitions.py"}, found
