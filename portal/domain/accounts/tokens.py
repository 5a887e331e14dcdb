"""Secrets handed out once: sessions, API tokens, links to confirm an address and to reset a password.

Only the SHA-256 is kept, and a secret is found by it.
"""

import hashlib
import secrets

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import joinedload

from portal import clock, db, errors
from portal.domain.shared import history, text_rules
from portal.messages import say
from portal.models import Account, Token


class DeadLink(errors.NotFound):
    """A link of a mail that was used, has expired or was replaced; `remedy` is a sentence for the page."""

    title = "This link opens nothing any more"
    remedy = "The page for a forgotten password sends a new one, which confirms the address too."


PREFIX = "omix_"  # lets people and scanners recognise an API token that lies where it should not
DEAD = say("link_dead", "This link was used already, has expired, or a newer one was sent. Ask for a new one.")
# Built once, since every request asks it.
LIVING = (
    select(Token)
    .options(joinedload(Token.account).joinedload(Account.center))
    .where(Token.hash == bindparam("hash"), Token.kind == bindparam("kind"), Token.used_at.is_(None))
    .where(or_(Token.expires_at.is_(None), Token.expires_at > bindparam("now")))
)


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hex: what is stored of it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def issue(account: Account, kind: str, *, label: str = "", lifetime: int | None = None) -> str:
    """A new secret of an account; `lifetime` in ms. The caller shows it now or never."""
    secret = (PREFIX if kind == "api" else "") + secrets.token_urlsafe(32)
    now = clock.now()
    expires_at = now + lifetime if lifetime is not None else None
    row = Token(
        account_id=account.id, kind=kind, hash=digest(secret), label=label, created_at=now, expires_at=expires_at
    )
    db.session.add(row)
    db.session.flush()
    return secret


def find(kind: str, secret: str) -> Token | None:
    """The unexpired, unused token of a secret, with its account."""
    return db.session.scalar(LIVING, {"hash": digest(secret), "kind": kind, "now": clock.now()})


def email_of(kind: str, secret: str) -> str:
    """The e-mail address of the account of a secret. Raises DeadLink."""
    token = find(kind, secret)
    if token is None:
        raise DeadLink(DEAD)
    return token.account.email


def use(kind: str, secret: str) -> Token:
    """Use up a single-use secret and return its token. Raises DeadLink where it was used or has expired."""
    token = find(kind, secret)
    if token is None:
        raise DeadLink(DEAD)
    token.used_at = clock.now()
    return token


def drop(account: Account, *kinds: str) -> None:
    """Delete every token of these kinds."""
    db.session.execute(
        delete(Token)
        .where(Token.account_id == account.id, Token.kind.in_(kinds))
        .execution_options(synchronize_session=False)
    )


def make_api_token(account: Account, *, label: str, actor: Account | None) -> str:
    """A new API token; the secret is returned this once."""
    secret = issue(account, "api", label=text_rules.line(label, longest=100) or "API token")
    history.record(
        "token.make", actor=actor, center_id=account.center_id, after={"label": label, "account": account.id}
    )
    return secret


def revoke(account: Account, token_id: int, *, actor: Account) -> None:
    """End an API token of an account; one of somebody else's is not found."""
    token = db.session.get(Token, token_id)
    if token is None or token.account_id != account.id or token.kind != "api":
        raise errors.NotFound(say("unknown_token", "There is no such token. It may be revoked already."))
    history.record("token.revoke", actor=actor, before={"label": token.label, "account": account.id})
    db.session.delete(token)


def api_tokens(account: Account, *, before: int = 0, limit: int = 100) -> list[Token]:
    """API tokens of an account, the newest first; only ids below `before` where it is given."""
    query = select(Token).where(Token.account_id == account.id, Token.kind == "api").order_by(Token.id.desc())
    return list(db.session.scalars((query.where(Token.id < before) if before else query).limit(limit)))
