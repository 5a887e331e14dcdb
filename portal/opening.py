"""What every command begins with: one instance is opened."""

from portal import db, migrations, queue, soundness
from portal.config import settings


def connect(*, whole: bool = False) -> None:
    """Point this process at its database, which must be sound where it is there. `whole`: all of it is looked at."""
    settings().prepare()
    db.configure(settings().database)
    queue.configure(settings().queue)
    soundness.probe(whole=whole)


def open_instance(*, check: bool = True) -> None:
    """Raises with what to do when the database is lost or damaged, or, with `check`, at another step."""
    connect(whole=not check)
    soundness.refuse_lost()
    if check:
        migrations.check(db.engine())
