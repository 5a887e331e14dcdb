"""Every place of a module where a fault can be put."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.mutants import clauses, signs
from tests.mutants.source import Edit, Source, word_of

EVERY: tuple[Callable[[ast.AST, Source, list[ast.AST]], Iterator[Edit]], ...] = (
    signs.compared,
    signs.joined,
    signs.unnegated,
    signs.constant,
    signs.added,
    clauses.answered,
    clauses.left_out,
    clauses.dropped,
    clauses.decided,
)
# Where no mutant is made: types say nothing at run time, and a frozen dataclass works as well when thawed.
UNTOUCHED = {"annotation", "returns", "decorator_list"}
# Calls that the program does without: its log, the points at which tests let it fail, and what its sentences say.
SILENT = {"log", "logging", "logger", "point", "warn", "say"}
# Sizes of pieces, which only speed depends on.
SIZES = {"yield_per", "buffering"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Place:
    """Where a walk stands: the functions and classes around, the statement, and every node around."""

    names: tuple[str, ...] = ()
    outer: str = ""
    name: str = ""
    near: tuple[int, int] = (0, 0)
    above: tuple[ast.AST, ...] = ()


def edits(source: Source, node: ast.AST, place: Place | None = None) -> Iterator[tuple[Edit, Place]]:
    """Each edit below a node, with its place."""
    place = place or Place()
    if is_untouched(node):
        return
    if isinstance(node, ast.stmt):
        place = _at(node, place)
    for operator in EVERY:
        for edit in operator(node, source, list(place.above)):
            yield edit, place
    above = (*place.above, node)
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED:
            continue
        inside = _into(node, field, place)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from edits(source, child, Place(*inside, above=above))


def _at(node: ast.stmt, place: Place) -> Place:
    """A statement reaches to its end, a compound one to its first inner statement."""
    body = getattr(node, "body", None)
    last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    name = place.name if place.outer else word_of(targets[0]) or place.name
    return Place(place.names, place.outer, name, (node.lineno, last), place.above)


def _into(node: ast.AST, field: str, place: Place) -> tuple:
    """The place of a node's children. Only the body of a function runs when it is called."""
    if isinstance(node, FUNCTIONS):
        names, whole = (*place.names, node.name), (node.lineno, node.end_lineno)
        outer = place.outer or (".".join(names) if field == "body" else "")
        return names, outer, place.name or node.name, whole
    if isinstance(node, ast.ClassDef):
        return (*place.names, node.name), place.outer, node.name, place.near
    return place.names, place.outer, place.name, place.near


def is_untouched(node: ast.AST) -> bool:
    """Texts in which places are not exact, checks for the reader, what only types need, the log."""
    if isinstance(node, (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.If):
        words = {word_of(one) for one in ast.walk(node.test)}
        return bool(words & {"TYPE_CHECKING", "__name__"})
    if isinstance(node, ast.Assign):
        return any(word_of(target).startswith("__") for target in node.targets)
    if isinstance(node, ast.keyword):
        return node.arg in SIZES
    call = node.value if isinstance(node, ast.Expr) else node
    if not isinstance(call, ast.Call):
        return False
    return any(word_of(one) in SILENT for one in ast.walk(call.func))
