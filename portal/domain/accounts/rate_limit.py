"""Rate limits of every protocol: failed sign-ins by user, by address and in all, and mails asked for by anybody.

A window starts with its first count. Callers wrap check() in no transaction and count() in one of its own, so that a
failure is counted whatever happens next.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, update

from portal import clock, db, errors
from portal.messages import Message, say
from portal.models import Throttle

WINDOW = 5 * clock.MINUTE
USER, ADDRESS, ALL = 10, 50, 1000
MAIL_WINDOW, MAILS = 6 * clock.HOUR, 3
GUESS_WINDOW, GUESSES = clock.HOUR, 20


def sign_in_limits(email: str, address: str) -> dict[str, int]:
    """The keys under which a failed sign-in is counted, and how many failures each takes."""
    return {f"user:{email[:254]}": USER, f"address:{address}": ADDRESS, "all": ALL}


def sign_on_limits(address: str) -> dict[str, int]:
    """The limits of sign-ons through a provider, where nobody types a name. They are counted apart: a provider that
    is set up badly must not stop the passwords of a whole institute behind one address."""
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
    many = say("many_attempts", "There were too many failed attempts.")
    return errors.Throttled(
        [many, say("try_again_in", "Try again in {time}.", time=_span(seconds))], retry_after=seconds
    )


def _span(seconds: int) -> Message:
    if seconds < 60:
        return say("seconds", "{seconds} seconds", seconds=seconds)
    return say("minutes", "{count} minute", plural="{count} minutes", count=-(-seconds // 60))


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
    """Rate-limit guesses at other people's addresses: an Invalid raised inside counts as one failure of the account."""
    key = f"{what}:{account_id}"
    check({key: GUESSES}, window=GUESS_WINDOW)
    try:
        yield
    except errors.Invalid:
        with db.transaction():
            count(key, window=GUESS_WINDOW)
        raise


def forget(key: str) -> None:
    """Drop the count of a key; needs a transaction."""
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
