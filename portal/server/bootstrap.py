"""What `omix up` does before its processes begin."""

import secrets

from portal import db, migrations, queue
from portal.config import settings
from portal.domain.accounts import accounts
from portal.maintenance import reconcile
from portal.maintenance.startup import open_instance


def prepare() -> tuple[str, str] | None:
    """Bring database and disk to where the processes begin. Returns the first curator and password, if one was made."""
    open_instance(check=False)
    if migrations.current(db.engine()) != migrations.head():
        migrations.upgrade(db.engine())
    reconcile.run()
    first = first_curator()
    db.dispose()
    queue.configure("")  # the processes that are forked now take no open file along
    return first


def first_curator() -> tuple[str, str] | None:
    """An account to begin with, where there is no curator yet."""
    if accounts.count_curators():
        return None
    email, password = f"curator@{settings().contact.rpartition('@')[2] or 'example.org'}", secrets.token_urlsafe(12)
    if accounts.by_email(email) is not None:
        return None
    with db.transaction():
        accounts.create(email=email, password=password, role="curator", center="Archive", name="Curator")
    return email, password
