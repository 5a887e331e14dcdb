"""A process that keeps pytest loaded and runs tests as ordered; see warm.py for what it answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HOUSE = Path(__file__).parents[2]
OPTIONS = (
    "-x",
    "-q",
    "--no-header",
    "-p",
    "no:cacheprovider",
    "-n0",
    "-p",
    "tests.mutants.warm",
    "-o",
    "tmp_path_retention_policy=failed",
)
LOADING = 300.0


class Broken(Exception):
    """The tests cannot even be loaded; holds what pytest said."""


class Warm:
    """A process of pytest in a copy of the tree that collects some files and runs orders. Its temporary folders stand
    beside the copy."""

    def __init__(self, tree: Path, files: list[str]) -> None:
        self._wire, other = socket.socketpair()
        self._rest, self._last = b"", ""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process
        temporary = tempfile.mkdtemp(dir=tree.parent)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "OMIX_"))}
        env |= {"PYTHONPATH": f"{tree}{os.pathsep}{HOUSE}", "TMPDIR": temporary, "MUTANTS_FD": str(other.fileno())}
        words = [sys.executable, "-m", "pytest", *OPTIONS, "--basetemp", f"{temporary}/tests", *files]
        self._process = subprocess.Popen(
            words,
            cwd=tree,
            env=env,
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        other.close()
        self._child = 0
        self.tests: list[str] = []

    def load(self) -> None:
        """Wait until it is ready; `tests` are the ids that it collected. Raises Broken."""
        self.tests = self._hear(LOADING)["ready"]

    def run(self, order: dict, limits: dict[str, float]) -> Iterator[dict]:
        """What is said while an order runs, up to `ended`. A test that takes longer than its limit (s) is ended, and
        the last but one is `late` with its id."""
        self._wire.sendall(json.dumps(order).encode() + b"\n")
        running, limit = "", LOADING
        while True:
            try:
                said = self._hear(limit)
            except TimeoutError:
                if not self._child:
                    raise Broken(self._said()) from None
                os.killpg(self._child, signal.SIGKILL)
                yield {"late": running}
                continue
            self._child = said.get("pid", self._child)
            running = said.get("test", running)
            limit = limits.get(running, LOADING)
            yield said
            if "ended" in said:
                self._child = 0
                return

    def _hear(self, limit: float) -> dict:
        """Raises TimeoutError after so many s, Broken where the process ended."""
        self._wire.settimeout(limit)
        while b"\n" not in self._rest:
            piece = self._wire.recv(1 << 16)
            if not piece:
                raise Broken(self._said())
            self._rest += piece
        line, _end, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def _said(self) -> str:
        """The end of what pytest wrote; the process is ended."""
        self.end()
        return self._last

    def end(self) -> None:
        if self._log.closed:
            return
        self._wire.close()
        for group in filter(None, (self._child, self._process.pid)):
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self._process.wait()
        self._log.seek(0)
        self._last = self._log.read().decode(errors="replace")[-3000:]
        self._log.close()
