"""What an inspection may cost: how much is unpacked from how little, how many members, how long. Data may be sparse and
honest, so what goes beyond is said to be unchecked and never to be wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass

MIB, MB = 1 << 20, 1_000_000
MANY = 16


class Fault(Exception):
    """Something is wrong with the bytes: a word of the vocabulary and the cause in a sentence."""

    def __init__(self, word: str, cause: str = "") -> None:
        super().__init__(word)
        self.word, self.cause = word, cause


class Stop(Exception):
    """A bound was reached: the rest stays unchecked. `inner`: only of what lies inside a member."""

    def __init__(self, why: str, *, inner: bool = False) -> None:
        super().__init__(why)
        self.why, self.inner = why, inner


@dataclass(frozen=True)
class Bounds:
    """More than `ratio` times what was read is unpacked only below `free`. A file gets `seconds` of computing and one
    more for every `pace` bytes. `memory` is what one decompressor may take."""

    ratio: int = 100
    free: int = 64 * MIB
    members: int = 100_000
    names: int = 32 * MIB
    seconds: float = 60.0
    pace: int = 2 * MIB
    memory: int = 128 * MIB


class Watch:
    """Counts what an inspection costs; a watch within() another guards what lies inside one member."""

    def __init__(
        self,
        size: int,
        *,
        bounds: Bounds | None = None,
        progress: Callable[[int], None] | None = None,
        above: "Watch | None" = None,
    ) -> None:
        self.bounds = bounds or Bounds()
        self.size, self._progress, self._above = size, progress, above
        self._until = time.thread_time() + self.bounds.seconds + size / self.bounds.pace
        self.position = self.unpacked = self._taken = self._inner = 0

    def within(self, size: int) -> "Watch":
        return Watch(size, bounds=self.bounds, above=self)

    def at(self, position: int) -> None:
        """So far the file is read: time to look at the clock and to tell how far it is."""
        self.position = position
        if self._progress is not None:
            self._progress(position)
        self.tick()

    def tick(self) -> None:
        if self._above is not None:
            self._above.tick()
        elif time.thread_time() > self._until:
            raise Stop(f"Checking it took too long and was ended at byte {self.position:,} of {self.size:,}.")

    def add(self, unpacked: int, taken: int) -> None:
        """So many more bytes were unpacked, from so many more that were taken in."""
        self.unpacked += unpacked
        self._taken += taken
        self._compare(self.unpacked, self.bounds.free, inner=self._above is not None)
        if self._above is not None:
            self._above.add_inner(unpacked)

    def add_inner(self, unpacked: int) -> None:
        """The same of what lies in members: each has its own bound, and all together have one."""
        self._inner += unpacked
        self._compare(self._inner, self.bounds.free * MANY, inner=True)

    def _compare(self, unpacked: int, free: int, *, inner: bool) -> None:
        if unpacked > free and unpacked > self.bounds.ratio * max(self._taken, self.position, 1):
            whole = f"It unpacks to more than {self.bounds.ratio} times its size"
            raise Stop(f"{whole}; only the first {unpacked // MB:,} MB of that were checked.", inner=inner)
