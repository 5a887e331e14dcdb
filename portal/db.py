"""Engine, session, transaction(), on_commit(): the only file that knows which database is behind.

SQLite runs in WAL with synchronous=FULL where its library is free of the WAL-reset fault (3.51.3 and later), else with
a rollback journal and synchronous=EXTRA. Every write is one BEGIN IMMEDIATE: a deferred one fails at once on a stale
snapshot, whatever the busy timeout.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    MetaData,
    Select,
    Update,
    column,
    create_engine,
    event,
    insert,
    select,
    table,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from portal import errors
from portal.messages import say

try:
    import pysqlite3
except ImportError:  # the interpreter's own library stands in, with the slower journal
    pysqlite3 = sqlite3

log = logging.getLogger(__name__)
BUSY_MS = 10_000
BUSY = say("database_busy", "The database is busy. Nothing was changed; try again in a moment.")
SAFE_WAL = (3, 51, 3)
# What a file that is damaged or closed to us raises, before or behind SQLAlchemy.
FAULTS = (DatabaseError, pysqlite3.DatabaseError)

naming = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=naming)


_engine: Engine | None = None
session: scoped_session[Session] = scoped_session(sessionmaker(expire_on_commit=False, autoflush=True))


def configure(url: str) -> Engine:
    """Point this process at a database. Call once, after forking."""
    global _engine
    dispose()
    options: dict[str, Any] = {"pool_size": 8, "max_overflow": 128}
    sqlite = make_url(url).get_backend_name() == "sqlite"
    if sqlite:
        options |= {"module": pysqlite3, "connect_args": {"timeout": BUSY_MS / 1000, "check_same_thread": False}}
    _engine = create_engine(url, **options)
    if sqlite:
        event.listen(_engine, "connect", _prepare_connection)
        event.listen(_engine, "begin", _begin)
    session.configure(bind=_engine)
    return _engine


def engine() -> Engine:
    if _engine is None:
        raise RuntimeError("db.configure() was not called")
    return _engine


def dispose() -> None:
    """Close every connection of this process."""
    global _engine
    session.remove()
    if _engine is not None:
        _engine.dispose()
    _engine = None


def look_whole(*, pages: bool) -> str:
    """What SQLite says of its own file at the start: ok, or what is wrong. Raises one of FAULTS where it cannot be read
    or written; BEGIN IMMEDIATE alone says nothing of a file that is only to be read."""
    with engine().connect() as connection:
        verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() if pages else "ok"
        connection.rollback()
        with connection.execution_options(write=True).begin() as transaction:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar()
            connection.exec_driver_sql(f"PRAGMA user_version={version}")
            transaction.rollback()
    return str(verdict)


def wal_is_safe() -> bool:
    return tuple(pysqlite3.sqlite_version_info) >= SAFE_WAL


def is_sqlite() -> bool:
    return engine().dialect.name == "sqlite"


def version() -> str:
    """The database below, for people: SQLite 3.53.4."""
    if is_sqlite():
        return f"SQLite {pysqlite3.sqlite_version}"
    return f"{engine().dialect.name} {'.'.join(str(part) for part in engine().dialect.server_version_info or ())}"


def _prepare_connection(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    wal = wal_is_safe()
    run = connection.execute
    run(f"PRAGMA busy_timeout={BUSY_MS}")
    run(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
    run(f"PRAGMA synchronous={'FULL' if wal else 'EXTRA'}")
    run("PRAGMA foreign_keys=ON")
    run("PRAGMA cache_size=-16384")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def transaction() -> Iterator[Session]:
    """One short write: the only place that commits. Callbacks of on_commit() run after the commit.

    Raises errors.Busy when the lock could not be had within 10 s, Unwritable when the disk is full or refuses. What was
    read before is read anew inside.
    """
    current = session()
    if current.info.get("writing"):
        raise RuntimeError("transaction() inside transaction(): the edge opens one, the domain none")
    if current.in_transaction():
        current.rollback()
    callbacks: list[Callable[[], None]] = []
    current.info.update(writing=True, on_commit=callbacks)
    try:
        current.connection(execution_options={"write": True})
        current.expire_all()
        yield current
        current.commit()
    except OperationalError as error:
        current.rollback()
        if (refusal := _refusal(error)) is None:
            raise
        raise refusal from error
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.update(writing=False, on_commit=None)
    for callback in callbacks:
        callback()


def _refusal(error: BaseException) -> errors.Busy | None:
    """What SQLite's words for a write that could not be done mean to whoever asked for it. With a full disk it ends the
    transaction by itself, and the first word stands below that of a savepoint which is gone."""
    words, below = str(error), error.__context__
    while below is not None:
        words, below = f"{words}; {below}", below.__context__
    if any(word in words for word in ("is full", "readonly", "disk I/O error")):
        log.error("the database cannot be written: %s", words)
        return errors.Unwritable(
            say("database_full", "The database cannot be written. Nothing was changed; an operator must make room.")
        )
    if "locked" in words or "busy" in words:
        return errors.Busy(BUSY)
    return None


@contextmanager
def savepoint() -> Iterator[None]:
    """A part of a transaction that may fail alone: its callbacks go with it."""
    pending = session().info["on_commit"]
    length = len(pending)
    try:
        with session.begin_nested():
            yield
    except BaseException:
        del pending[length:]
        raise


def change(statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE in one statement; returns how many rows it met. Loaded objects are not touched."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]


def writing() -> bool:
    return bool(session().info.get("writing"))


def on_commit(callback: Callable[[], None]) -> None:
    """Run a callback once the surrounding transaction() is committed; never when it is rolled back."""
    pending = session().info.get("on_commit")
    if pending is None:
        raise RuntimeError("on_commit() needs a transaction()")
    pending.append(callback)


@contextmanager
def reading() -> Iterator[Session]:
    """A read outside a web request (which has its own end): gives its snapshot back afterwards."""
    current = session()
    try:
        yield current
    finally:
        if not current.info.get("writing"):
            session.remove()


def end() -> None:
    """Give back the snapshot and connection of this thread, at the end of a request, job or FTP command."""
    session.remove()


def copy_to(target: Path) -> None:
    """A consistent copy of the whole database into a new file (SQLite's VACUUM INTO)."""
    with engine().connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))


def check_integrity() -> list[str]:
    """What SQLite finds wrong with its own file; empty when all is well."""
    with engine().connect() as connection:
        rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [row for row in rows if row != "ok"] + [f"row {row[1]} of {row[0]} points at nothing" for row in lost]


def text_matches(index: str, words: list[str], *, most: int) -> list[int] | None:
    """Ids of the rows that hold all of these words anywhere, by SQLite's index of every three letters. None where it is
    no help: more than `most`, only shorter words, or another database, whose own index serves LIKE."""
    query = text_ids(index, words)
    ids = session.scalars(query.limit(most + 1)).all() if query is not None else []
    return None if query is None or len(ids) > most else list(ids)


def text_ids(index: str, words: list[str], *, owner: int | None = None) -> Select[int] | None:
    """A query of those ids, and of perhaps a few more: letters of any alphabet match in any case. `owner`: only the
    rows of this account or dataset, however many others match."""
    searchable = [word for word in (word.partition("\0")[0] for word in words) if len(word) >= 3]
    if not searchable or not is_sqlite():
        return None
    match = " AND ".join('"' + word.replace('"', '""') + '"' for word in searchable)
    if owner is not None:
        whose = "".join(chr(57344 + part) for part in (owner % 6400, owner // 6400 % 6400, owner // 40_960_000))
        match = f'owner : "{whose}" AND text : ({match})'
    rows = table(index, column(index), column("rowid"))  # the index is asked by a column of its own name
    return select(rows.c.rowid.label("id")).where(rows.c[index].op("MATCH")(match))


def index_text(index: str, after: int, last: int) -> None:
    """Take the rows of these ids into an index of letters."""
    source = table(index.removesuffix("text") + "words", column("id"), column("owner"), column("text"))
    target = table(index, column("rowid"), column("owner"), column("text"))
    rows = select(source.c.id, source.c.owner, source.c.text).where(source.c.id > after, source.c.id <= last)
    session.execute(insert(target).from_select(["rowid", "owner", "text"], rows))
