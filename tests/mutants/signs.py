"""Faults of signs and values. Each function takes a node and the nodes around it, the outermost first, and yields the
edits that put one fault there."""

import ast
import re
from collections.abc import Iterator

from tests.mutants.source import Edit, Source, between, called, word_of

COMPARED = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
}
# The same in conditions of a query.
METHODS = {"is_": "is_not", "is_not": "is_", "in_": "not_in", "not_in": "in_", "and_": "or_", "or_": "and_"}
UNITS = {"DAY", "HOUR", "MINUTE", "SECOND"}
DURATION = re.compile(r"(^|_)(ms|s|seconds|minutes|hours|days|wait|timeout|patience|period|every|within|keep)$", re.I)


def compared(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for left, right, op in zip(sides, sides[1:], node.ops, strict=False):
            sign, other = COMPARED[type(op)]
            yield from between(source, "compare", left, right, rf"(?<![\w=<>!]){sign}(?![\w=])", other)
    if isinstance(node, ast.Call) and (word := called(node)) in METHODS:
        end = source.end(node.func)
        yield Edit("compare", end - len(word), end, METHODS[word], node)


def joined(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        sign, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from between(source, "join", left, right, rf"\b{sign}\b", other)


def unnegated(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        start, sign = source.start(node), 3 if isinstance(node.op, ast.Not) else 1
        space = len(source.text[start + sign :]) - len(source.text[start + sign :].lstrip())
        yield Edit("not", start, start + sign + space, "", node)


def constant(node: ast.AST, source: Source, above: list[ast.AST]) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, (bool, int, float)):
        return
    changed = [not node.value] if isinstance(node.value, bool) else [node.value + 1]
    if not isinstance(node.value, bool) and is_duration(node, above):
        changed.append(node.value * 100)
    for value in changed:
        kind = "bool" if isinstance(value, bool) else "number"
        yield Edit(kind, source.start(node), source.end(node), repr(value), node)


def is_duration(node: ast.Constant, above: list[ast.AST]) -> bool:
    """By its unit, or by the name that it is given."""
    parent = above[-1]
    if isinstance(parent, ast.BinOp):
        other = parent.right if parent.left is node else parent.left
        return isinstance(parent.op, ast.Mult) and word_of(other) in UNITS
    names = [word_of(target) for target in getattr(parent, "targets", ())]
    names.append(parent.arg or "" if isinstance(parent, ast.keyword) else word_of(getattr(parent, "target", None)))
    return bool(node.value) and any(DURATION.search(name) for name in names)


def added(node: ast.AST, source: Source, _above: list[ast.AST]) -> Iterator[Edit]:
    """Sums of numbers; text and lists would only raise."""
    if not isinstance(node, (ast.BinOp, ast.AugAssign)) or not isinstance(node.op, (ast.Add, ast.Sub)):
        return
    left, right = (node.target, node.value) if isinstance(node, ast.AugAssign) else (node.left, node.right)
    texts = (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple)
    if any(isinstance(one, texts) or isinstance(getattr(one, "value", 0), str) for one in (left, right)):
        return
    sign, other = (r"\+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
    yield from between(source, "sum", left, right, sign, other)
