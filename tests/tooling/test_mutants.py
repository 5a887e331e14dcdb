"""Mutants: each fault is made where it belongs and nowhere else, and what the tests make of it is told truly."""

import json
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.mutants import judging, rooms
from tests.mutants.__main__ import main
from tests.mutants.mutations import mutants, sample
from tests.plugins.clients import needs

ROOT = Path(__file__).parents[2]
NEVER = '''
"""A docstring of 3 words: a < b and not c."""
__all__ = ["one", 2]
KNOWN: dict[int, "3"] = {}
if TYPE_CHECKING:
    FLAG = True


@dataclass(frozen=True)
class Thing:
    """Another; 1 + 1."""

    name: Literal[1]


def told(one: Annotated[int, 5]) -> Literal[True]:
    """A third."""
    log.warning("there are %s", 1 + 1)
    logging.getLogger("x").setLevel(30)
    assert one is not None
    why = say("too_many", "At most {most}.", most=one + 1)
    return f"{one + 1} of {2}"
'''
CASES = {
    "if a < b: pass": {"a <= b", "True", "False"},
    "x = a == b": {"x = a != b"},
    "x = a not in b": {"x = a in b"},
    "x = a is None": {"x = a is not None"},
    "x = Row.end.is_(None)": {"x = Row.end.is_not(None)"},
    "x = Row.state.not_in(DEAD)": {"x = Row.state.in_(DEAD)"},
    "x = a and (b)": {"x = a or (b)"},
    "x = not a": {"x = a"},
    "x = ~exists_one(a)": {"x = exists_one(a)"},
    "x = 7": {"x = 8"},
    "x = 7 * clock.DAY": {"x = 8 * clock.DAY", "x = 700 * clock.DAY"},
    "wait(timeout=2.0)": {"wait(timeout=3.0)", "wait(timeout=200.0)", "pass"},
    "x = True": {"x = False"},
    "x = a + b": {"x = a - b"},
    "x -= b": {"x += b"},
    'x = "a" + b': set(),
    "def f() -> bool:\n    return a(b)": {"return not (a(b))"},
    "history.record(a)": {"pass"},
    "q = s.where(a, *b)": {"q = s.where(*b)", "q = s.where(a)"},
    "q = s.where(a)": {"q = s.where()"},
    "q = a < b, c > d": {"q = a <= b, c > d", "q = a < b, c >= d", "q = c > d,", "q = a < b,"},
    "q = u.values(a=x, b=y)": {"q = u.values(b=y)", "q = u.values(a=x)"},
    "if a:\n    raise Fault": {"True", "False", "pass"},
    "x = b if a else c": {"x = b if True else c", "x = b if False else c"},
    "x = [a for a in b if c]": {"x = [a for a in b if True]", "x = [a for a in b if False]"},
    "while a: pass": {"False"},
}


def lines_after(text: str) -> set[str]:
    """What the changed place reads like, as few words as the changed line allows."""
    found = set()
    for mutant in mutants("m.py", text):
        gone = set(text.splitlines())
        changed = [line for line in mutant.text.splitlines() if line not in gone]
        found.add(changed[0].strip())
    return found


def shown(line: str, after: str) -> bool:
    return line == after or line.startswith(f"if {after}:") or line.startswith(f"while {after}:")


@pytest.mark.parametrize("text", CASES)
def test_fault_is_made(text: str) -> None:
    made = lines_after(text)

    assert {after for after in CASES[text] if not any(shown(line, after) for line in made)} == set()
    assert len(made) == len(CASES[text])


def test_texts_types_and_the_log_are_left_alone() -> None:
    assert [f"{one.before} -> {one.after}" for one in mutants("m.py", NEVER)] == []


def test_sources_of_the_table_are_there_and_only_one_place_changes() -> None:
    path = "portal/domain/permissions/active_grants.py"
    assert rooms.sources(rooms.ROOMS, ROOT)[path] == "access"
    assert all(rooms.tests(rooms.ROOMS, room, ROOT) for room in rooms.ROOMS)
    text = (ROOT / path).read_text()
    made = mutants(path, text)

    assert len({one.id for one in made}) == len(made) > 40
    for one in sample(made, 40, seed=3):
        same = [a == b for a, b in zip(text, one.text, strict=False)].index(False)
        back = next(n for n in range(1, len(text)) if text[-n] != one.text[-n])
        assert len(text) - same - back < 300, one.spot


def test_sample_is_the_same_each_time_and_a_larger_one_begins_with_it() -> None:
    made = mutants("m.py", "\n".join(f"x{n} = {n} < a" for n in range(50)))

    few, many = sample(made, 10, seed=1), sample(made, 20, seed=1)
    assert few == many[:10] == sample(list(reversed(made)), 10, seed=1)
    assert few != sample(made, 10, seed=2)


def test_mutant_is_found_again_when_lines_move() -> None:
    text = "def f(a):\n    return a < 3\n"

    assert [one.id for one in mutants("m.py", "\n\n" + text)] == [one.id for one in mutants("m.py", text)]
    assert {one.function for one in mutants("m.py", text)} == {"f"}


TINY = {
    "tiny/__init__.py": "",
    "tiny/sums.py": """
        LIMIT = 3

        def is_small(number):
            return number < LIMIT

        def count(number):
            while number > 0:
                number -= 1
            return number

        def unused(number):
            return number + 1

        def ask(number):
            from tiny.later import is_odd

            return is_odd(number)
        """,
    "tiny/later.py": """
        def is_odd(number):
            return number % 2 == 1
        """,
    "tests/test_tiny.py": """
        from tiny import sums

        def test_small():
            assert sums.is_small(2) and not sums.is_small(4)

        def test_count():
            assert sums.count(2) == 0

        def test_odd():
            assert sums.ask(3) and not sums.ask(4)
        """,
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n",
}
TABLE: rooms.Rooms = {"tiny": (("tiny/*.py",), ("tests",))}


ACCEPTED = """# seen
tiny/sums.py:is_small: return number < LIMIT -> return number <= LIMIT: nobody asks for 3
tiny/sums.py:gone: a -> b: why
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny tree, as git sees it; what hangs is ended soon."""
    monkeypatch.setattr(judging, "SLACK", 1.0)
    root = tmp_path / "root"
    for name, text in TINY.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text).lstrip())
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def run(root: Path, *words: str) -> int:
    return main([*words, "--jobs", "1"], root=root, table=TABLE, accepted=root / "accepted.txt")


@needs("git")
def test_run_tells_what_became_of_each(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tiny.parent / "kept.jsonl"
    (tiny / "accepted.txt").write_text(ACCEPTED)
    assert run(tiny, "--resume", str(kept)) == 0
    rows = list(map(json.loads, kept.read_text().splitlines()))
    became = {(row["function"], row["after"]): (row["verdict"], row["by"]) for row in rows}

    assert len(became) == len(rows) == 12
    assert became["is_small", "return number <= LIMIT"] == ("accepted", "")
    assert became["module", "LIMIT = 4"] == became["count", "number -= 2"] == ("survived", "")
    assert became["unused", "return number - 1"] == ("survived", "not executed")
    assert became["count", "while number > 1:"] == ("killed", "tests/test_tiny.py::test_count")
    assert became["count", "number += 1"] == ("timeout", "tests/test_tiny.py::test_count")  # it never ends
    assert became["is_odd", "return number % 2 != 1"] == ("killed", "tests/test_tiny.py::test_odd"), "loaded late"
    said = capsys.readouterr().out
    assert "all              11       7         4         1" in said
    assert "no mutant is like this any more: tiny/sums.py:gone: a -> b: why" in said

    assert run(tiny, "--resume", str(kept)) == 0, "a run that is over"
    assert "all              11       7         4         1" in capsys.readouterr().out
    assert len(kept.read_text().splitlines()) == 12


@needs("git")
def test_red_tests_are_said_before_anything_is_tried(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tiny / "tests/test_red.py").write_text("def test_red():\n    assert False\n")

    assert run(tiny, "--count", "1") == 1
    assert "this one fails: tests/test_red.py::test_red" in capsys.readouterr().out
