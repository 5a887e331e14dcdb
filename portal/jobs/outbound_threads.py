"""Threads that wait for servers elsewhere and do nothing else: nobody's dataset waits behind a silent one."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)
THREADS = 2
PERIOD = 10.0


class OutboundThreads:
    """Threads that call `work`, which does what is due of this kind: when woken, and every PERIOD seconds."""

    def __init__(self, work: Callable[[], None], stop: threading.Event) -> None:
        self._work, self._stop = work, stop
        self._wake_events = [threading.Event() for _ in range(THREADS)]
        self._threads = [
            threading.Thread(target=self._run, args=(wake_event,), name="worker-outside", daemon=True)
            for wake_event in self._wake_events
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        for wake_event in self._wake_events:
            wake_event.set()

    def join(self, seconds: float) -> None:
        """Once the worker stops: let what is being sent be recorded."""
        self.wake()
        for thread in self._threads:
            thread.join(seconds)

    def _run(self, wake_event: threading.Event) -> None:
        while not self._stop.is_set():
            try:
                self._work()
            except Exception:
                log.exception("a thread that sends to other servers failed; it goes on")
            wake_event.wait(PERIOD)
            wake_event.clear()
