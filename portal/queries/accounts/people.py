"""Reads for the people of a site: the list with its filters, and the summary of one person."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from portal import clock, db, states
from portal.domain.accounts import accounts, identities
from portal.models import Account, Center, Dataset, Event, Identity, Token, Upload
from portal.queries.paging import keyset

STATES = ("active", "new", "closed")


def page(
    *, text: str = "", role: str = "", state: str = "", center: int | None = None, after: str = "", before: str = ""
) -> keyset.Page:
    """A page of accounts that pass the filters, the newest first."""
    query = select(Account)
    if role in accounts.ROLES:
        query = query.where(Account.role == role)
    if state in STATES:
        query = query.where(Account.state == state)
    if center is not None:
        query = query.where(Account.center_id == center)
    for word in text.split()[:8]:
        query = query.where(_contains(word))
    fetched = keyset.fetch(query, (Account.id,), lambda row: (row[0].id,), after=after, before=before)
    return keyset.Page([row[0] for row in fetched.rows], fetched.newer, fetched.older)


def _contains(word: str) -> ColumnElement[bool]:
    """Whether the name or address contains a word. The database may fold the case of ASCII only, so the word as
    typed counts too."""
    columns = (Account.name, Account.email)
    folded = [func.lower(column).contains(word.lower(), autoescape=True) for column in columns]
    return or_(*folded, Account.name.contains(word, autoescape=True))


def counts() -> dict[tuple[str, str], int]:
    """How many accounts are of each role and state."""
    query = select(Account.role, Account.state, func.count()).group_by(Account.role, Account.state)
    return {(role, state): number for role, state, number in db.session.execute(query)}


class Summary(NamedTuple):
    """What a curator sees of an account besides its row."""

    datasets: int
    uploads: int
    size: int
    sessions: int
    tokens: int
    last_at: int | None
    identities: list[Identity]


def summary(account: Account) -> Summary:
    """Counts of what belongs to an account, and when it last did something."""
    mine = Upload.account_id == account.id
    listed = select(func.count(), func.sum(Upload.size)).where(mine, Upload.state.in_(states.LISTED))
    uploads, size = db.session.execute(listed).one()
    open_tokens = secrets(account)
    last = select(Event.at).where(Event.actor_id == account.id).order_by(Event.id.desc()).limit(1)
    datasets = _count(Dataset, Dataset.account_id == account.id)
    return Summary(
        datasets,
        uploads,
        int(size or 0),
        open_tokens.get("session", 0),
        open_tokens.get("api", 0),
        db.session.scalar(last),
        identities.of(account),
    )


def secrets(account: Account) -> dict[str, int]:
    """How many open tokens an account has, by kind."""
    live = or_(Token.expires_at.is_(None), Token.expires_at > clock.now())
    query = select(Token.kind, func.count()).where(Token.account_id == account.id, Token.used_at.is_(None), live)
    return {kind: number for kind, number in db.session.execute(query.group_by(Token.kind))}


def _count(model: type[Dataset], *conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def center_names(limit: int = 200) -> list[str]:
    """Names of centers, which a form suggests."""
    return list(db.session.scalars(select(Center.name).order_by(Center.name).limit(limit)))
