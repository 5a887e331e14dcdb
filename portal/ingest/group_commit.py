"""Group commit: one thread per process takes the arrivals that wait, records them in one transaction, and only then
lets their sessions acknowledge. Where more waits already, a 3 ms pause lets other processes have the lock."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy.exc import IntegrityError

from portal import db, errors
from portal.domain.uploads import receive
from portal.domain.uploads.uploads import Arrival
from portal.faults import point
from portal.messages import say

log = logging.getLogger(__name__)
PAUSE = 0.003
LARGEST_GROUP = 200

Work = tuple[Any, Future]


class GroupCommit:
    def __init__(self) -> None:
        self._waiting: SimpleQueue = SimpleQueue()
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
        return self.record(arrival)

    def record(self, verb: Callable[[], Any] | Arrival) -> Any:
        """Run a domain verb in the next group; returns its result once committed, or raises what it raised."""
        future: Future = Future()
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
        answers: list[tuple[Future, Any, BaseException | None]] = []
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
        for future, result, refusal in answers:
            if refusal is None:
                future.set_result(result)
            else:
                future.set_exception(refusal)

    def _answer(self, group: list[Work]) -> list[tuple[Future, Any, BaseException | None]]:
        """New names all at once, the others one by one, each in its own savepoint."""
        arrived = [(verb, future) for verb, future in group if isinstance(verb, Arrival)]
        answers: list[tuple[Future, Any, BaseException | None]] = []
        rest = [(verb, future) for verb, future in group if not isinstance(verb, Arrival)]
        receipts = self._new([arrival for arrival, _future in arrived])
        for (arrival, future), receipt in zip(arrived, receipts, strict=True):
            if receipt is not None:
                answers.append((future, receipt, None))
            else:
                rest.append((partial(receive.receive_known, arrival), future))
        return answers + [(future, *self._try(verb)) for verb, future in rest]

    def _new(self, together: list[Arrival]) -> list[Arrival | None]:
        """One that was taken over and renamed since would fail the whole group: then each is asked by itself."""
        if not together:
            return []
        try:
            with db.savepoint():
                return receive.receive_new(together)
        except IntegrityError:
            return [None] * len(together)

    def _try(self, verb: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """One member of the group, in its own savepoint: what it refuses does not touch the others."""
        try:
            with db.savepoint():
                return verb(), None
        except errors.DomainError as error:
            return None, error


group_commit = GroupCommit()
