"""A form that makes something carries a key: sent twice (a double click, a retry), it makes it once."""

import secrets

from portal import clock, db
from portal.models import Account, Once


def key() -> str:
    return secrets.token_urlsafe(18)


def answered(account: Account, sent: str) -> str | None:
    """The answer that this form already got. Ask inside the transaction."""
    row = db.session.get(Once, f"{account.id}:{sent}") if sent else None
    return row.answer if row else None


def remember(account: Account, sent: str, answer: str) -> None:
    if sent:
        db.session.add(Once(key=f"{account.id}:{sent[:100]}", account_id=account.id, answer=answer, at=clock.now()))
