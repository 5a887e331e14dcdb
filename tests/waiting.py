"""The one place where tests wait: for something to be so, never for a time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(ready: Callable[[], T], seconds: float = 30.0, *, explain: Callable[[], object] = lambda: "") -> T:
    """What `ready` gives once it gives something; fails with `explain()` after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, f"it did not happen in {seconds} s {explain()}"
        time.sleep(0.02)
    return found
