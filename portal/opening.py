"""What every command begins with: one instance is opened."""

from portal import db, migrations, queue
from portal.config import settings


def open_instance(*, check: bool = True) -> None:
    settings().prepare()
    db.configure(settings().database)
    queue.configure(settings().queue)
    if check:
        migrations.check(db.engine())
