"""Named points at which a test may kill the process or let a call fail: OMIX_FAULT="receive.synced:1:kill".

The form is name:nth:act with act kill, eio, enospc or ms to sleep. Without the variable a point costs one test.
"""

import errno
import os
import signal
import time
from dataclasses import dataclass


@dataclass
class Armed:
    """A fault that will happen: on the `passes`th passing from now, `act` is done."""

    passes: int
    act: str


_armed: dict[str, Armed] = {}


def want(words: str) -> None:
    """From now on these faults happen."""
    for spec in filter(None, words.split(",")):
        name, nth, act = spec.split(":")
        _armed[name] = Armed(int(nth), act)


want(os.environ.get("OMIX_FAULT", ""))


def point(name: str) -> None:
    """Pass a named point; on its nth passing the asked fault happens."""
    if not _armed or name not in _armed:
        return
    armed = _armed[name]
    armed.passes -= 1
    if armed.passes != 0:
        return
    act = armed.act
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if act.isdigit():
        time.sleep(int(act) / 1000)
        return
    raise OSError(getattr(errno, act.upper()), f"fault at {name}")
