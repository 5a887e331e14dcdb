"""Passwords as argon2id hashes. Verifying the password of an unknown address takes as long as that of a known one."""

import hashlib
import secrets
from collections import OrderedDict
from threading import BoundedSemaphore, Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal import errors
from portal.messages import Message, say

SHORTEST, LONGEST = 10, 1000
# 19 MiB and two passes (the OWASP floor): many people may sign in at once without filling the memory.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_dummy = ""
# At most so many guesses are weighed at once in a process, each after the throttle was asked.
gate = BoundedSemaphore(4)

# Programs sign in anew for every file: a password just found right is recognised by a keyed digest, in memory only.
_recent: OrderedDict[bytes, None] = OrderedDict()
_recent_key = secrets.token_bytes(32)
_recent_lock = Lock()
RECENT = 512


class Hashed(str):
    """A password that is hashed already, so that the work was done before a transaction began."""


def use(hasher: PasswordHasher) -> None:
    """Choose the cost of hashing for this process."""
    global _hasher, _dummy
    _hasher, _dummy = hasher, ""


def hashed(password: str, *, field: str = "password") -> Hashed:
    """The hash of a new password, or Invalid saying why it is none. A hash passes through."""
    if isinstance(password, Hashed):
        return password
    if weakness := _weakness(password):
        raise errors.Invalid(fields={field: weakness})
    with gate:
        return Hashed(_hasher.hash(password))


def _weakness(password: str) -> Message | None:
    if len(password) < SHORTEST:
        return say(
            "password_short",
            "A password has at least {shortest} characters; this has {length}.",
            shortest=SHORTEST,
            length=len(password),
        )
    if len(password) > LONGEST:
        return say("password_long", "A password has at most {longest} characters.", longest=LONGEST)
    if len(set(password)) < 4:
        return say("password_repeats", "This password repeats too few characters.")
    return None


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the one of a stored hash. A hash of None takes as long and never matches."""
    if stored and _is_recent(stored, password):
        return True
    try:
        _hasher.verify(stored or _dummy_hash(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    if not stored:
        return False
    _remember(stored, password)
    return True


def _dummy_hash() -> str:
    global _dummy
    if not _dummy:
        _dummy = _hasher.hash(secrets.token_hex(16))
    return _dummy


def _mark(stored: str, password: str) -> bytes:
    text = f"{stored}\0{password}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=_recent_key, digest_size=32).digest()


def _is_recent(stored: str, password: str) -> bool:
    with _recent_lock:
        return _mark(stored, password) in _recent


def _remember(stored: str, password: str) -> None:
    with _recent_lock:
        _recent[_mark(stored, password)] = None
        while len(_recent) > RECENT:
            _recent.popitem(last=False)


def for_ftp() -> str:
    """A fresh password of 100 bits that can be typed off a screen."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(5))
