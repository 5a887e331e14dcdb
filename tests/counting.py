"""What work costs, counted and not timed: a busy machine changes no count."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from portal import db

EVERY = 1000


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are sent to the database meanwhile, by whatever thread but the heartbeat, which looks at the
    accounts every moment, whatever others are at."""
    heard: list[str] = []

    def sent(_connection, _cursor, statement, *_):
        if not threading.current_thread().name.endswith("-heartbeat"):
            heard.append(statement)

    event.listen(db.engine(), "before_cursor_execute", sent)
    try:
        yield heard
    finally:
        event.remove(db.engine(), "before_cursor_execute", sent)


@contextmanager
def steps() -> Iterator[list[int]]:
    """The steps that SQLite takes meanwhile on the connection of this thread, in thousands: its one item. A walk of a
    table takes some for each row, a way through an index does not."""
    taken = [0]

    def more() -> int:
        taken[0] += 1
        return 0

    raw = db.session.connection().connection.driver_connection
    raw.set_progress_handler(more, EVERY)
    try:
        yield taken
    finally:
        raw.set_progress_handler(None, EVERY)


@contextmanager
def calls() -> Iterator[list[int]]:
    """The functions that this thread calls meanwhile, of Python and of C: its one item. Work that grows out of all
    measure with its input shows here on a fast machine and on a slow one."""
    called = [0]

    def note(_frame: object, what: str, _argument: object) -> None:
        if what in ("call", "c_call"):
            called[0] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)
