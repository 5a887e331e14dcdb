"""A fault put into a program that is loaded: the functions of a module get the code of its changed text. This saves
loading everything again, which takes longer than most tests."""

import gc
from collections import Counter
from types import CodeType, FunctionType

# A function within its module: its qualified name, and which of that name it is.
Codes = dict[tuple[str, int], CodeType]


def living(root: str) -> dict[str, list[FunctionType]]:
    """Every function that is loaded from below a folder, by file."""
    found: dict[str, list[FunctionType]] = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename.startswith(root):
            found.setdefault(one.__code__.co_filename, []).append(one)
    return found


def exchange(loaded: list[FunctionType] | None, path: str, before: str, after: str, outer: str) -> bool:
    """Give these functions of one file the code of its changed text. False when that would not put the fault in place:
    its outermost function is not among them, or its closure differs. What is not loaded yet comes from the file."""
    if loaded is None:
        return True
    old, new = (codes(compile(text, path, "exec", dont_inherit=True)) for text in (before, after))
    given, refused = give(loaded, old, new)
    return outer in given and not refused


def give(functions: list[FunctionType], old: Codes, new: Codes) -> tuple[set[str], set[str]]:
    """Let functions that have an old code run the new one of their place: the names of those that do and of those that
    cannot, since they stand in another closure now."""
    places = {(code.co_qualname, code.co_firstlineno): place for place, code in old.items()}
    given, refused = set(), set()
    for function in functions:
        code = function.__code__
        fresh = new.get(places.get((code.co_qualname, code.co_firstlineno), ("", 0)))
        if fresh is None or fresh == code:
            continue
        if fresh.co_freevars == code.co_freevars:
            function.__code__ = fresh
            given.add(code.co_qualname)
        else:
            refused.add(code.co_qualname)
    return given, refused


def codes(module: CodeType) -> Codes:
    """Every function of a module, also those within others, and classes, which are code as well."""
    seen: Counter[str] = Counter()
    found: Codes = {}
    waiting = [module]
    while waiting:
        code = waiting.pop(0)
        seen[code.co_qualname] += 1
        found[code.co_qualname, seen[code.co_qualname]] = code
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
    return found
