"""The text of a module and where its nodes stand in it. Offsets count characters from the start of the text."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

# How many characters around a change are shown.
SHORTEST, LONGEST = 16, 60
BLOCKS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.With, ast.Try)


@dataclass(frozen=True)
class Edit:
    """One small change: the characters from start to end become `text`. `node` is what it is about."""

    kind: str
    start: int
    end: int
    text: str
    node: ast.AST


class Source:
    """A module's text, parsed."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """The offset of a line (from 1) and a column, which ast counts in bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.AST) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.AST) -> int:
        return self.at(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.AST) -> str:
        return self.text[self.start(node) : self.end(node)]

    def changed(self, edit: Edit) -> str:
        """The whole text with an edit made."""
        return self.text[: edit.start] + edit.text + self.text[edit.end :]

    def told(self, edit: Edit, above: list[ast.AST]) -> tuple[str, str]:
        """Before and after, each on one line, with as much around it as a line of a table holds. `above`: the nodes
        around the edit, the outermost first."""
        around = [node for node in above if hasattr(node, "lineno") and not isinstance(node, BLOCKS)]
        spans = [(self.start(node), self.end(node)) for node in around]
        spans = [(start, end) for start, end in spans if start <= edit.start and edit.end <= end]
        fitting = [(start, end) for start, end in spans if SHORTEST <= end - start <= LONGEST]
        start, end = fitting[0] if fitting else self._window(edit)
        after = self.text[start : edit.start] + edit.text + self.text[edit.end : end]
        return " ".join(self.text[start:end].split()), " ".join(after.split())

    def _window(self, edit: Edit) -> tuple[int, int]:
        """A change inside something long: some words before and after it."""
        room = max(0, LONGEST - (edit.end - edit.start)) // 2
        line = self.text.rfind("\n", 0, edit.start) + 1
        over = self.text.find("\n", edit.end)
        start, end = max(line, edit.start - room), min(over if over >= 0 else len(self.text), edit.end + room)
        start = edit.start - len(self.text[start : edit.start].partition(" ")[2]) if start > line else start
        return start, end - len(self.text[edit.end : end].rpartition(" ")[2]) if room and end != over else end


def word_of(node: ast.AST | None) -> str:
    """The last word of a name: DAY of clock.DAY."""
    return getattr(node, "attr", None) or getattr(node, "id", None) or ""


def called(node: ast.AST) -> str:
    return word_of(node.func) if isinstance(node, ast.Call) else ""


def between(source: Source, kind: str, left: ast.AST, right: ast.AST, sign: str, other: str) -> Iterator[Edit]:
    start = source.end(left)
    if found := re.search(sign, source.text[start : source.start(right)]):
        yield Edit(kind, start + found.start(), start + found.end(), other, right)


def each(source: Source, kind: str, parts: list) -> Iterator[Edit]:
    """Each part of a list left out, with the comma that goes with it."""
    for at, part in enumerate(parts):
        start = source.end(parts[at - 1]) if at and at == len(parts) - 1 else source.start(part)
        end = source.start(parts[at + 1]) if at + 1 < len(parts) else source.end(part)
        yield Edit(kind, start, end, "", part)
