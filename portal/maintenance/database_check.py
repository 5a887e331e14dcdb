"""Is the catalogue there? Asked before anything opens it: SQLite would make an empty one where none is, and a portal
that begins anew over a full archive would hide the loss."""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from portal import db, errors, migrations
from portal.config import settings
from portal.messages import say
from portal.models import REBUILDING, Counter

REMEDY = (
    "Put back a backup as docs/backup.md says under Restore. Without one, `omix rebuild` makes the catalogue again "
    "from the bags of the archive."
)


READ_AT_START = 1 << 30


class LostDatabase(errors.DomainError):
    """No catalogue, although there is what it told of."""

    status, title, code = 503, "The database is lost", "lost_database"


class DatabaseFault(errors.DomainError):
    """The database cannot be read or written; nothing goes on without it."""

    status, ftp, title, code = 503, 451, "The database cannot be used", "database"


def file_of(url: str) -> Path | None:
    """The file of a database that is one."""
    parts = make_url(url)
    plain = parts.get_backend_name() == "sqlite" and parts.database and not parts.database.startswith((":", "file:"))
    return Path(str(parts.database)) if plain else None


def is_there() -> bool:
    """Whether there is a database to open. SQLite would make an empty file where none is."""
    path = file_of(settings().database)
    return path is None or _size(path) > 0


def probe(*, whole: bool = False) -> None:
    """Raises DatabaseFault, with what to do, when a database that is there cannot be opened and read; with `whole` also
    when its pages disagree (of a large one `omix fsck` says so) or it cannot be written. For the start."""
    if not is_there():
        return
    path = file_of(settings().database)
    try:
        with db.engine().connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        few = path is not None and _size(path) < READ_AT_START
        verdict = db.look_whole(pages=few) if whole and db.is_sqlite() else "ok"
    except db.FAULTS as error:
        raise _fault(str(getattr(error, "orig", error))) from error
    if verdict != "ok":
        raise _fault(verdict.splitlines()[-1])


def _fault(words: str) -> errors.DomainError:
    called = db.engine().url.database
    if "locked" in words or "busy" in words:
        return errors.Busy(db.BUSY)
    if "readonly" in words or "unable to open" in words or "permission" in words.lower():
        return DatabaseFault(
            say(
                "database_read_only",
                "The database {called} cannot be opened for writing ({words}). Give the account of "
                "the portal the right to write it and its folder, then start again.",
                called=called,
                words=words,
            )
        )
    return DatabaseFault(
        say(
            "database_damaged",
            "The database {called} is damaged ({words}). Nothing was changed. Stop the portal "
            "and set portal.db, portal.db-wal and portal.db-shm aside. {remedy}",
            called=called,
            words=words,
            remedy=REMEDY,
        )
    )


def refuse_lost() -> None:
    """Raises LostDatabase when the database is missing or empty while archive or area hold data, or when a rebuild has
    not come to its end."""
    there = is_there()
    if there and (step := migrations.current(db.engine())) is not None:
        if step == migrations.head() and _is_half():
            raise LostDatabase(
                say(
                    "rebuild_unfinished",
                    "A rebuild of the database was begun and has not ended. Run `omix rebuild` again.",
                )
            )
        return
    held = next(_held(), None)
    if held is not None:
        path = file_of(settings().database)
        what = "is empty" if there or (path and path.exists()) else "is missing"
        raise LostDatabase(
            say(
                "database_lost",
                "The database {database} {what}, but {held} holds data. Nothing was changed. {remedy}",
                database=db.engine().url.database,
                what=what,
                held=held,
                remedy=REMEDY,
            )
        )


def _is_half() -> bool:
    try:
        return bool(db.session.scalar(select(Counter.next).where(Counter.name == REBUILDING)))
    finally:
        db.end()


def refuse_remains() -> None:
    """A write-ahead log without its database may hold its newest rows; opening would delete it."""
    path = file_of(settings().database)
    left = path.with_name(f"{path.name}-wal") if path else None
    if path and left and _size(left) and not _size(path):
        raise LostDatabase(
            say(
                "database_stray_log",
                "{left} lies there without its database. Set it aside, with the one it belongs to, first.",
                left=left,
            )
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _held() -> Iterator[Path]:
    """Folders of archive and area that hold something."""
    for realm in ("open", "protected"):
        root = settings().root("archive", realm)
        yield from (path for path in _inside(root) if path.name != "lost+found")
        for folder in _inside(settings().root("area", realm)):
            if next(_inside(folder), None):
                yield folder


def _inside(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() and os.access(folder, os.R_OK) else iter(())
