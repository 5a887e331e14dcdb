"""Copies of the tree, in which mutants are put and tests run; one for each job."""

import os
import queue
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from tests.mutants.running import Broken, Warm

# What tests read and git does not keep.
BROUGHT = ("static/vendor",)
Work = TypeVar("Work")
Done = TypeVar("Done")


def copy_tree(root: Path, target: Path) -> None:
    """A plain copy of what git keeps or would keep, as it lies there now."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=root, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    for name in BROUGHT:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, dirs_exist_ok=True)


class Bench:
    """One copy of the tree for one job. `with Bench(root, files)`: these test files are kept loaded."""

    def __init__(self, root: Path, files: list[str]) -> None:
        self.root, self.files = root, files
        self.folder = Path(tempfile.mkdtemp(prefix="omix-mutants-"))
        self.tree = self.folder / "tree"
        self.started: list[Warm] = []
        self.is_over = False
        self._warm: Warm | None = None
        self._written = 0

    def __enter__(self) -> "Bench":
        copy_tree(self.root, self.tree)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.is_over = True
        for warm in self.started:
            warm.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def warm(self) -> Warm:
        """The process with every file loaded, started when it is first asked for."""
        if self._warm is None:
            self._warm = self.start(self.files)
        return self._warm

    def start(self, files: list[str]) -> Warm:
        """Another process with these files loaded. Raises Broken where they cannot be."""
        if self.is_over:
            raise Broken("The run was stopped.")
        made = Warm(self.tree, files)
        self.started.append(made)
        made.load()
        return made

    def cool(self) -> None:
        """The next asks for another process."""
        self._warm = None

    def write(self, path: str, text: str) -> None:
        """Never with a time it had before: Python would take the compiled old text for it."""
        self._written += 1
        (self.tree / path).write_text(text)
        os.utime(self.tree / path, (self._written, self._written))


class Jobs:
    """So many copies of the tree, worked in side by side."""

    def __init__(self, root: Path, files: list[str], count: int) -> None:
        self._stack = ExitStack()
        self._benches: queue.SimpleQueue[Bench] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(count)
        self._made = [Bench(root, files) for _ in range(count)]

    def __enter__(self) -> "Jobs":
        for bench in self._made:
            self._benches.put(self._stack.enter_context(bench))
        return self

    def __exit__(self, *_exc: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._stack.close()

    def each(self, works: list[Work], do: Callable[[Bench, Work], Done]) -> Iterator[Done]:
        """do(bench, work) for each, as they end."""

        def with_bench(work: Work) -> Done:
            bench = self._benches.get()
            try:
                return do(bench, work)
            finally:
                self._benches.put(bench)

        for future in as_completed([self._pool.submit(with_bench, work) for work in works]):
            yield future.result()
