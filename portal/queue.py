"""A Huey queue that carries job ids to the worker. It may lose any of them: the job row is the truth and the sweeper
wakes the worker again. Its file uses the interpreter's own SQLite with a rollback journal and may be deleted at any
time."""

import logging
from collections.abc import Callable
from typing import Any

from huey import Huey
from huey.serializer import Serializer
from huey.storage import MemoryStorage, SqliteStorage
from sqlalchemy.engine import make_url

log = logging.getLogger(__name__)
NAME = "omix"


class PlainHuey(Huey):
    """A queue without results whose storage is chosen at start, not at import."""

    def get_storage_kwargs(self) -> dict[str, Any]:
        return {}


queue = PlainHuey(NAME, storage_class=MemoryStorage, results=False, serializer=Serializer())
_handler: Callable[[int], None] | None = None
_sweeper: Callable[[], None] | None = None


def configure(url: str) -> None:
    """Use the queue file of an instance: sqlite:///path. Memory when the address is empty (tests)."""
    if not url:
        queue.storage = MemoryStorage(NAME)
        return
    queue.storage = SqliteStorage(NAME, filename=make_url(url).database, journal_mode="delete", timeout=10)


def handle_with(handler: Callable[[int], None], sweeper: Callable[[], None]) -> None:
    """Say what the two tasks call in this process (the worker does)."""
    global _handler, _sweeper
    _handler, _sweeper = handler, sweeper


@queue.task(name="run")
def run(job_id: int) -> None:
    if _handler is not None:
        _handler(int(job_id))


@queue.task(name="sweep")
def sweep() -> None:
    if _sweeper is not None:
        _sweeper()


def wake(job_id: int) -> None:
    """Wake a worker for a job. A queue that fails is only logged: the sweeper finds the row within a minute."""
    try:
        run(job_id)
    except Exception:
        log.exception("the queue did not take job %s; the sweeper will", job_id)
