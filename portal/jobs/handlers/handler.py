"""What a handler of a kind of job is, and how it tells its progress and comes again later.

A handler does its work outside any transaction and writes the result in one of its own, with job_queue.finish(lease).
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from portal.domain.shared.job_queue import Lease


class Stopped(Exception):
    """The worker ends: the job is handed back as it stands, and the attempt is not counted."""


class Again(Exception):
    """Nothing is wrong, but the work is not over: come again after `delay` ms. The attempt is not counted."""

    def __init__(self, delay: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.delay, self.sentence = delay, sentence


class Progress:
    """How far a running job is, read by the heartbeat. Handlers call it often: it raises Stopped when the worker
    ends."""

    def __init__(self, stop: Event | None = None) -> None:
        self.done = self.total = self.base = 0
        self._stop = stop or Event()

    def __call__(self, done: int) -> None:
        """So many bytes of the present file are done."""
        self.done = self.base + done
        self.check()

    def expect(self, total: int) -> None:
        self.total = total

    def next(self) -> None:
        """The present file is over; the next one counts on from here."""
        self.base = self.done

    def check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def read(self) -> tuple[int, int]:
        return self.done, self.total


@dataclass(frozen=True)
class Handler:
    """The work of a kind. `give_up` runs in the transaction in which the last attempt failed. `bulk` work reads much
    and never takes the last free thread; `alone` work writes into a bag, and no two such jobs share a dataset;
    `outside` work waits for other people's servers, in threads that do nothing else."""

    run: Callable[[Lease, Progress], None]
    give_up: Callable[[Lease, str], None] | None = None
    bulk: bool = False
    alone: bool = False
    outside: bool = False
