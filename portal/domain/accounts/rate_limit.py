"""One throttle for every door: failed sign-ins by user, by address and in all, and mails asked for by anybody.

A window starts with its first count. Callers wrap check() in no transaction and count() in one of its own, so that a
failure is counted whatever happens next.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, update

from portal import clock, db, errors
from portal.models import Throttle

WINDOW = 5 * clock.MINUTE
USER, ADDRESS, ALL = 10, 50, 1000
MAIL_WINDOW, MAILS = 6 * clock.HOUR, 3
GUESS_WINDOW, GUESSES = clock.HOUR, 20


def sign_in_limits(email: str, address: str) -> dict[str, int]:
    return {f"user:{email[:254]}": USER, f"address:{address}": ADDRESS, "all": ALL}


def sign_on_limits(address: str) -> dict[str, int]:
    """Of sign-ons through a provider, where nobody types a name. They are counted apart: a provider that is set up
    badly must not stop the passwords of a whole institute behind one address."""
    return {f"sign-on:{address}": ADDRESS}


def check(limits: dict[str, int], *, window: int = WINDOW) -> int:
    """How many more failures the tightest limit takes; Throttled, with when to try again, where it takes none."""
    rows = {row.key: row for row in db.session.scalars(select(Throttle).where(Throttle.key.in_(limits)))}
    left = min(limits.values())
    for key, limit in limits.items():
        row = rows.get(key)
        if row is None or row.since + window <= clock.now():
            continue
        if row.count >= limit:
            raise _throttled(row.since + window - clock.now())
        left = min(left, limit - row.count)
    return left


def _throttled(wait: int) -> errors.Throttled:
    seconds = max(1, -(-wait // 1000))
    minutes = -(-seconds // 60)
    said = f"{seconds} seconds" if seconds < 60 else "1 minute" if minutes == 1 else f"{minutes} minutes"
    return errors.Throttled(f"There were too many failed attempts. Try again in {said}.", retry_after=seconds)


def count(*keys: str, window: int = WINDOW) -> None:
    """Count one more failure under each key; needs a transaction."""
    now = clock.now()
    for key in keys:
        row = db.session.get(Throttle, key)
        if row is None:
            db.session.add(Throttle(key=key, since=now, count=1))
        elif row.since + window <= now:
            row.since, row.count = now, 1
        else:
            changed = update(Throttle).where(Throttle.key == key).values(count=Throttle.count + 1)
            db.session.execute(changed.execution_options(synchronize_session=False))
    db.session.execute(delete(Throttle).where(Throttle.since < now - MAIL_WINDOW))


@contextmanager
def guessing(what: str, account_id: int) -> Iterator[None]:
    """Around the transaction of somebody who names other people: they try out so many addresses and no more."""
    key = f"{what}:{account_id}"
    check({key: GUESSES}, window=GUESS_WINDOW)
    try:
        yield
    except errors.Invalid:
        with db.transaction():
            count(key, window=GUESS_WINDOW)
        raise


def forget(key: str) -> None:
    db.session.execute(delete(Throttle).where(Throttle.key == key))


def is_counted(key: str) -> bool:
    return db.session.get(Throttle, key) is not None


def may_mail(kind: str, email: str) -> bool:
    """Count a mail that anybody may ask for; False once an address had its three in six hours."""
    key = f"mail:{kind}:{email[:254]}"
    try:
        check({key: MAILS}, window=MAIL_WINDOW)
    except errors.Throttled:
        return False
    count(key, window=MAIL_WINDOW)
    return True
