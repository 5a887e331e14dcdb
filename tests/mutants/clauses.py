"""Faults of statements and calls: what is left out, forced or turned round. Shaped as those of signs.py."""

import ast
from collections.abc import Iterator

from tests.mutants.signs import METHODS
from tests.mutants.source import Edit, Source, called, each, word_of

CONDITIONS = {"where", "filter", "having", "and_", "or_"}
# Calls whose keywords are the columns that change.
WRITING = {"values", "advance", "move"}


def answered(node: ast.AST, source: Source, above: list[ast.AST]) -> Iterator[Edit]:
    """What a function that says yes or no returns, negated; where one sign does that, compared() has done it."""
    if not isinstance(node, ast.Return) or node.value is None or not says_bool(above):
        return
    value = node.value
    single = isinstance(value, ast.Compare) and not isinstance(value.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    if single or isinstance(value, (ast.Constant, ast.UnaryOp)):
        return
    start, end = source.start(node), source.end(node)
    text = source.text[start + len("return") : end].strip()
    yield Edit("return", start, end, f"return not ({text})", node)


def says_bool(above: list[ast.AST]) -> bool:
    inner = next((one for one in reversed(above) if isinstance(one, (ast.FunctionDef, ast.Lambda))), None)
    return word_of(getattr(inner, "returns", None)) == "bool"


def left_out(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    """A statement that works by its effect, or that refuses."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        kind = "raise" if isinstance(node, ast.Raise) else "call"
        yield Edit(kind, source.start(node), source.end(node), "pass", node)


def dropped(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    """One condition of a query, or one column of what is written."""
    word = called(node)
    if isinstance(node, ast.Call) and word in CONDITIONS and (len(node.args) > 1 or word == "where"):
        yield from each(source, "condition", node.args)
    if isinstance(node, ast.Call) and word in WRITING:
        chosen = [one for one in node.keywords if one.arg and (word == "values" or one.arg != "actor")]
        yield from (edit for edit in each(source, "column", [*node.args, *node.keywords]) if edit.node in chosen)
    if isinstance(node, ast.Tuple) and sum(map(is_condition, node.elts)) > 1:
        yield from (edit for edit in each(source, "condition", node.elts) if len(node.elts) > 2)
        for gone, kept in (node.elts, node.elts[::-1]) if len(node.elts) == 2 else ():
            yield Edit("condition", source.start(node.elts[0]), source.end(node.elts[1]), f"{source.of(kept)},", gone)


def is_condition(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) or called(node) in METHODS


def decided(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    """What an `if` asks, forced either way."""
    tests = [node.test] if isinstance(node, (ast.If, ast.IfExp)) else getattr(node, "ifs", [])
    for test in tests:
        for answer in ("True", "False"):
            yield Edit("if", source.start(test), source.end(test), answer, test)
    if isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
        yield Edit("if", source.start(node.test), source.end(node.test), "False", node.test)
