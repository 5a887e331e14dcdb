"""Group commit: one thread per process takes the arrivals that wait, records them in one transaction, and only then
lets their sessions acknowledge. Where more waits already, a 3 ms pause lets other processes have the lock."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, overload

from sqlalchemy.exc import IntegrityError

from portal import db, errors
from portal.domain.uploads import receive
from portal.domain.uploads.uploads import Arrival
from portal.faults import point
from portal.messages import say

log = logging.getLogger(__name__)
PAUSE = 0.003
LARGEST_GROUP = 200

Result = TypeVar("Result")
Work = tuple[Callable[[], object] | Arrival, Future[Any]]
# The future of one member, what it returned, and what refused it.
Answer = tuple[Future[Any], object, BaseException | None]


class GroupCommit:
    """The thread of a process that records arrivals; `_takes` is false once it stops."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._takes = False

    def start(self, name: str) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._waiting, self._takes = SimpleQueue(), True
            self._thread = threading.Thread(target=self._run, name=f"{name}-group-commit", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> None:
        if self._thread is not None:
            with self._lock:  # nothing stands behind the end: nobody would answer it
                self._takes = False
                self._waiting.put(None)
            self._thread.join(timeout)
            self._thread = None

    def receive(self, arrival: Arrival) -> Arrival:
        """Record an arrival with the next group. Returns it with its `upload_id` once committed, or raises what
        refused it."""
        recorded: Arrival = self.record(arrival)
        return recorded

    @overload
    def record(self, verb: Arrival) -> Arrival: ...
    @overload
    def record(self, verb: Callable[[], Result]) -> Result: ...
    def record(self, verb: Callable[[], object] | Arrival) -> object:
        """Run a domain verb in the next group; returns its result once committed, or raises what it raised."""
        future: Future[Any] = Future()
        with self._lock:
            if not self._takes or self._thread is None or not self._thread.is_alive():
                raise errors.Busy(say("archive_stopping", "The archive is stopping. Send this again in a moment."))
            self._waiting.put((verb, future))
        return future.result()

    def _run(self) -> None:
        while True:
            group, stopping = self._take()
            if group:
                self._commit(group)
                if not self._waiting.empty():
                    time.sleep(PAUSE)
            if stopping:
                return

    def _take(self) -> tuple[list[Work], bool]:
        group: list[Work] = []
        item = self._waiting.get()
        while item is not None:
            group.append(item)
            if len(group) >= LARGEST_GROUP:
                return group, False
            try:
                item = self._waiting.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _commit(self, group: list[Work]) -> None:
        answers: list[Answer] = []
        # 5. Record: all of the group in one transaction, each member in its own savepoint.
        try:
            with db.transaction():
                answers += self._answer(group)
                point("receive.recorded")
            point("receive.committed")
        except BaseException as error:  # nothing of the group was kept
            if not isinstance(error, errors.DomainError):
                log.exception("a group of %d arrivals could not be recorded", len(group))
            for _verb, future in group:
                future.set_exception(error)
            return
        finally:
            db.end()
        # 6. Acknowledge: only now that it is committed do the sessions go on.
        for future, result, refusal in answers:
            if refusal is None:
                future.set_result(result)
            else:
                future.set_exception(refusal)

    def _answer(self, group: list[Work]) -> list[Answer]:
        """New names all at once, the others one by one, each in its own savepoint."""
        arrived = [(verb, future) for verb, future in group if isinstance(verb, Arrival)]
        answers: list[Answer] = []
        rest: list[tuple[Callable[[], object], Future[Any]]] = [
            (verb, future) for verb, future in group if not isinstance(verb, Arrival)
        ]
        recorded = self._record_new([arrival for arrival, _future in arrived])
        for (arrival, future), outcome in zip(arrived, recorded, strict=True):
            if outcome is not None:
                answers.append((future, outcome, None))
            else:
                rest.append((partial(receive.receive_known, arrival), future))
        return answers + [(future, *self._try(verb)) for verb, future in rest]

    def _record_new(self, arrivals: list[Arrival]) -> list[Arrival | None]:
        """Record those of new names together; None for each that must be recorded by itself. One that was taken
        over and renamed since would fail all: then each is recorded by itself."""
        if not arrivals:
            return []
        try:
            with db.savepoint():
                return receive.receive_new(arrivals)
        except IntegrityError:
            return [None] * len(arrivals)

    def _try(self, verb: Callable[[], object]) -> tuple[object, BaseException | None]:
        """One member of the group, in its own savepoint: what it refuses does not touch the others."""
        try:
            with db.savepoint():
                return verb(), None
        except errors.DomainError as error:
            return None, error


group_commit = GroupCommit()
