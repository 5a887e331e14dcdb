"""`omix up`: starts web, FTP and worker, starts again whichever dies, and ends all three in good order.

At first the three are forked from this process, which has loaded by then what they share: they start in a third of the
time and share its memory. One that died starts as a new program: nothing of what went wrong is carried over.
"""

import ctypes
import gc
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from portal import storage
from portal.config import ROOT, Settings

log = logging.getLogger(__name__)
PARTS = ("web", "ftp", "worker")
LONGEST_PAUSE = 30.0
STEADY = 60.0
GRACE = 28.0
START_WITHIN = 60.0
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
ENDING = (signal.SIGTERM, signal.SIGINT)
PORTS = {"web": "OMIX_PORT", "ftp": "OMIX_FTP_PORT"}


class Fork:
    """A child that goes on from here with `run`; otherwise like a Popen."""

    def __init__(self, name: str, run: Callable[[str], int]) -> None:
        # Nobody may end it before it has its own way to end: until then signals wait.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        begin = multiprocessing.get_context("fork").Process
        self._child = begin(target=_go_on, args=(run, name, held), name=f"omix {name}", daemon=True)
        self._child.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        self.pid = self._child.pid or 0

    def poll(self) -> int | None:
        return self._child.exitcode

    def terminate(self) -> None:
        self._child.terminate()

    def wait(self, timeout: float | None = None) -> int:
        self._child.join(timeout)
        if (code := self._child.exitcode) is None:
            raise subprocess.TimeoutExpired(self._child.name, timeout or 0)
        return code


def _go_on(run: Callable[[str], int], name: str, mask: set[signal.Signals]) -> None:
    os.setsid()
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    sys.exit(run(name))


def be_child(name: str) -> None:
    """A child of `omix up` ends when that is killed, and `ps -o comm` and `top` name it (Linux)."""
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        prctl(PR_SET_NAME, f"omix-{name}".encode())


@dataclass
class Part:
    """One child process and how often it died of late."""

    name: str
    process: subprocess.Popen[bytes] | Fork | None = None
    deaths: int = 0
    began: float = 0.0
    again_at: float = 0.0
    env: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        words = [sys.executable, "-m", "portal.cli", self.name, "--child"]
        self.began = time.monotonic()
        self.process = subprocess.Popen(words, cwd=ROOT, env=os.environ | self.env, start_new_session=True)

    def fork(self, run: Callable[[str], int]) -> None:
        self.began = time.monotonic()
        self.process = Fork(self.name, run)

    def restart_if_dead(self) -> None:
        """Start again what died, later each time it dies soon."""
        if self.process is None:
            if time.monotonic() >= self.again_at:
                self.start()
        elif (code := self.process.poll()) is not None:
            steady = time.monotonic() - self.began > STEADY
            self.deaths = 1 if steady else self.deaths + 1
            pause = min(LONGEST_PAUSE, 2.0 ** (self.deaths - 1)) if self.deaths > 1 else 0.2
            log.error("%s ended with %s; it starts again in %.1f s", self.name, code, pause)
            self.process, self.again_at = None, time.monotonic() + pause

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


class Supervisor:
    """`child` is what each part runs, by name, in a process forked for it."""

    def __init__(
        self, settings: Settings, ready: Callable[[dict[str, str]], None], child: Callable[[str], int]
    ) -> None:
        self.settings, self._ready, self._child = settings, ready, child
        self.parts = {name: Part(name) for name in PARTS}
        self._ending = False
        self._told = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT. Exit code 0 when all ended within 30 s."""
        for number in ENDING:
            signal.signal(number, self._end)
        for name in PARTS:
            (self.settings.run / f"{name}.address").unlink(missing_ok=True)
        began = time.monotonic()
        gc.collect()
        gc.freeze()  # or the first collection of each child would copy what they share
        for part in self.parts.values():
            part.fork(self._child)
        while not self._ending:
            for part in self.parts.values():
                part.restart_if_dead()
            self._tell()
            if not self._told and time.monotonic() - began > START_WITHIN:
                log.error("web and FTP did not start within a minute; the lines above say why")
                self._ending = True
            time.sleep(0.05 if not self._told else 0.25)
        return self._stop() if self._told else (self._stop() or 1)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _tell(self) -> None:
        """Write addresses.json once both doors are open; a part that starts again keeps its port."""
        if self._told:
            return
        addresses = {}
        for name, variable in PORTS.items():
            path = self.settings.run / f"{name}.address"
            if not path.exists():
                return
            addresses[name] = path.read_text().strip()
            self.parts[name].env[variable] = addresses[name].rpartition(":")[2].rstrip("/")
        storage.write_whole(self.settings.run / "addresses.json", json.dumps(addresses).encode(), mode=0o644)
        self._told = True
        self._ready(addresses)

    def _stop(self) -> int:
        (self.settings.run / "addresses.json").unlink(missing_ok=True)
        for part in self.parts.values():
            part.ask_to_end()
        until = time.monotonic() + GRACE
        late = 0
        for part in self.parts.values():
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("%s did not end in time and is killed; what it received is incomplete", part.name)
                os.killpg(part.process.pid, signal.SIGKILL)
                part.process.wait()
                late += 1
        return 0 if not late else 1
