"""Idempotency keys: what a form makes is made once, also where the form is sent twice (a double click, a retry)."""

import hashlib
import secrets

from portal import clock, db
from portal.models import Account, Once


def key() -> str:
    """A new key for a form."""
    return secrets.token_urlsafe(18)


def _name(account: Account, sent: str) -> str:
    """The stored name of a key. A client's key may be of any length; two long ones must not be taken for each other."""
    short = sent if len(sent) <= 64 else hashlib.sha256(sent.encode("utf-8", "replace")).hexdigest()
    return f"{account.id}:{short}"


def answered(account: Account, sent: str) -> str | None:
    """The answer that this form already got. Ask inside the transaction."""
    row = db.session.get(Once, _name(account, sent)) if sent else None
    return row.answer if row else None


def remember(account: Account, sent: str, answer: str) -> None:
    """Keep the answer to a form under its key; needs a transaction."""
    if sent:
        db.session.add(Once(key=_name(account, sent), account_id=account.id, answer=answer, at=clock.now()))
