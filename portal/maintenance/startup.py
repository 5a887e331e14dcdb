"""What every command begins with: one instance is opened, and held by at most one `omix up`."""

import fcntl
from typing import TextIO

from portal import db, errors, migrations, queue
from portal.config import Settings, settings
from portal.maintenance import database_check
from portal.messages import say


class Taken(errors.DomainError):
    title = "Another `omix up` runs on this instance"


def connect(*, whole: bool = False) -> None:
    """Point this process at its database, which must be sound where it is there. `whole`: all of it is looked at."""
    settings().prepare()
    db.configure(settings().database)
    queue.configure(settings().queue)
    database_check.probe(whole=whole)


def open_instance(*, check: bool = True) -> None:
    """Raises with what to do when the database is lost or damaged, or, with `check`, at another step."""
    connect(whole=not check)
    database_check.refuse_lost()
    if check:
        migrations.check(db.engine())


def lock(chosen: Settings) -> TextIO:
    """Hold the instance for this process. Raises Taken."""
    handle = (chosen.run / "up.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Taken(say("instance_taken", "Another `omix up` runs on this instance. Stop that one first.")) from error
    return handle
