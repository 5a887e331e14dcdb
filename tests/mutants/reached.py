"""Which lines of the sources a test runs: a call before each statement notes its line. A tracer would slow down every
call of every library; this slows down only what is looked at. Loaded where the tests run."""

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType, FunctionType

from tests.mutants.exchange import codes, give

PROBE = "__reached__"


class Probing(ast.NodeTransformer):
    """Puts `__reached__(line)` before each statement within functions."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef)):
            return node
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, field, [one for statement in value for one in (self.probe(statement), statement)])
        return node

    def probe(self, statement: ast.stmt) -> ast.stmt:
        call = ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(statement.lineno)], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), statement))


def probed(text: str, path: str) -> CodeType:
    """A module with probes, to take the code of its functions from."""
    return compile(Probing().visit(ast.parse(text)), path, "exec", dont_inherit=True)


class Reached:
    """First lines of the statements that ran since they were last taken, in every thread of this process. What a
    fixture ran that several tests share is counted for each of them."""

    def __init__(self) -> None:
        self._lines: set[tuple[str, int]] = set()
        self._shared: dict[str, set[tuple[str, int]]] = {}

    def watch(self, name: str, text: str, functions: list[FunctionType]) -> None:
        """Note what runs of a file whose functions are loaded. `name` is what it is called."""
        path = functions[0].__code__.co_filename
        for function in functions:
            function.__globals__[PROBE] = partial(self._note, name)
        give(functions, codes(compile(text, path, "exec", dont_inherit=True)), codes(probed(text, path)))

    @contextmanager
    def fixture(self, name: str) -> Iterator[None]:
        """Around the making of a shared fixture."""
        before, self._lines = self._lines, set()
        yield
        self._shared[name], self._lines = self._lines, before

    def take(self, fixtures: Iterable[str]) -> dict[str, list[int]]:
        """The lines by file of a test with these fixtures, and from now on anew."""
        lines, self._lines = self._lines, set()
        lines = lines.union(*(self._shared.get(name, ()) for name in fixtures))
        found: dict[str, list[int]] = {}
        for name, line in sorted(lines):
            found.setdefault(name, []).append(line)
        return found

    def _note(self, name: str, line: int) -> None:
        self._lines.add((name, line))
