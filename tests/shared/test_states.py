"""The table of states, and those who read it."""

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
