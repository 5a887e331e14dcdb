"""`omix up`: starts web, FTP and worker, starts again whichever dies, and ends all three in good order."""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from portal import errors, storage
from portal.config import ROOT, Settings

log = logging.getLogger(__name__)
PARTS = ("web", "ftp", "worker")
LONGEST_PAUSE = 30.0
STEADY = 60.0
GRACE = 28.0
START_WITHIN = 60.0
PORTS = {"web": "OMIX_PORT", "ftp": "OMIX_FTP_PORT"}


class Taken(errors.DomainError):
    title = "Another `omix up` runs on this instance"


@dataclass
class Part:
    """One child process and how often it died of late."""

    name: str
    process: subprocess.Popen | None = None
    deaths: int = 0
    began: float = 0.0
    again_at: float = 0.0
    env: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        words = [sys.executable, "-m", "portal.cli", self.name, "--child"]
        self.began = time.monotonic()
        self.process = subprocess.Popen(words, cwd=ROOT, env=os.environ | self.env, start_new_session=True)

    def look(self) -> None:
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
    def __init__(self, settings: Settings, ready: Callable[[dict[str, str]], None]) -> None:
        self.settings, self._ready = settings, ready
        self.parts = {name: Part(name) for name in PARTS}
        self._ending = False
        self._told = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT. Exit code 0 when all ended within 30 s."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        for name in PARTS:
            (self.settings.run / f"{name}.address").unlink(missing_ok=True)
        began = time.monotonic()
        for part in self.parts.values():
            part.start()
        while not self._ending:
            for part in self.parts.values():
                part.look()
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
        found = {}
        for name, variable in PORTS.items():
            path = self.settings.run / f"{name}.address"
            if not path.exists():
                return
            found[name] = path.read_text().strip()
            self.parts[name].env[variable] = found[name].rpartition(":")[2].rstrip("/")
        storage.write_whole(self.settings.run / "addresses.json", json.dumps(found).encode(), mode=0o644)
        self._told = True
        self._ready(found)

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


def lock(settings: Settings):
    """Hold the instance for this process. Raises Taken."""
    handle = (settings.run / "up.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Taken("Another `omix up` runs on this instance. Stop that one first.") from error
    return handle
