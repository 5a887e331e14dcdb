"""Sign-on through a provider: whose account an identity opens, and how it comes to open one.

A person is found by what the provider calls them (issuer and subject), never by e-mail: an address only makes a new
account, or says which account has to be signed in to before the two are linked.
"""

from dataclasses import dataclass

from sqlalchemy import select

from portal import clock, config, db, errors
from portal.domain.accounts import accounts, centers, tokens
from portal.domain.shared import history, notifications, text_rules
from portal.domain.shared.transitions import transition
from portal.messages import say
from portal.models import Account, Identity


@dataclass(frozen=True)
class Person:
    """Who a provider says somebody is. `email` is empty where it does not vouch for one; `seen_at` is when they last
    gave it their credentials, where it says so."""

    issuer: str
    subject: str
    email: str
    name: str
    seen_at: int | None = None


class Occupied(errors.Conflict):
    """There is an account of this address: it is linked once its owner signed in to it too."""

    title, code = "There is an account of this address", "occupied"
    topic = "account"


def find(issuer: str, subject: str) -> Identity | None:
    """The identity that a provider (issuer) calls `subject`."""
    return db.session.scalar(select(Identity).where(Identity.issuer == issuer, Identity.subject == subject))


def of(account: Account) -> list[Identity]:
    """The identities that open an account, the oldest first."""
    return list(db.session.scalars(select(Identity).where(Identity.account_id == account.id).order_by(Identity.id)))


def sign_on(person: Person) -> Account:
    """The account that somebody whom the provider signed on gets: their own, or a new one. Occupied where the address
    has an account already."""
    identity = find(person.issuer, person.subject)
    if identity is None:
        account = _open(person)
        identity = _add(account, person, actor=account)
    if not identity.account.is_active:
        raise errors.Forbidden(
            say(
                "sign_on_closed",
                "This account is closed. Write to {contact} to open it again.",
                contact=config.settings().contact,
            )
        )
    _used(identity, person)
    return identity.account


def _open(person: Person) -> Account:
    """The account that a new identity opens: a new one, or one of its address that was never confirmed."""
    email = vouched(person)
    account, contact = accounts.by_email(email), config.settings().contact
    if account is not None and account.state == "active":
        raise Occupied([accounts.taken(email), say("sign_in_to_link", "Sign in to it to link the two.")])
    if account is not None and account.state == "closed":
        raise errors.Forbidden(
            say(
                "email_closed",
                "The account of {email} is closed. Write to {contact} to open it again.",
                email=email,
                contact=contact,
            )
        )
    if not config.settings().oidc_registration:
        raise errors.Forbidden(
            say(
                "no_account_of_email",
                "There is no account of {email} here. Ask {contact} for one.",
                email=email,
                contact=contact,
            )
        )
    return _make(email, person) if account is None else _take(account, person)


def vouched(person: Person) -> str:
    """The address that the provider vouches for, as accounts write it."""
    name = config.settings().oidc_name
    if not person.email:
        raise errors.Forbidden(
            say(
                "email_not_vouched",
                "{provider} does not say that your e-mail address was checked. Confirm your address there and sign in "
                "again, or register here with e-mail and password.",
                provider=name,
            )
        )
    try:
        return accounts.clean_email(person.email)
    except errors.Invalid as error:
        raise errors.Forbidden(
            say(
                "email_of_provider_invalid",
                "{provider} gives no e-mail address that mail can be sent to. Mend it there.",
                provider=name,
            )
        ) from error


def _make(email: str, person: Person) -> Account:
    name = _name(email, person)
    account = Account(email=email, name=name, role="submitter", state="active", created_at=clock.now())
    account.verified_at, account.center_id = clock.now(), centers.own(name, name).id
    db.session.add(account)
    db.session.flush()
    history.record("account.create", actor=account, after={"email": email, "issuer": person.issuer})
    return account


def _take(account: Account, person: Person) -> Account:
    """Give an unconfirmed account to the owner of its address: the password of whoever registered it, and every
    token, end."""
    account.name, account.password_hash, account.ftp_password_hash = _name(account.email, person), None, None
    transition(account, "confirm", verified_at=clock.now())
    tokens.drop(account, "api", "verify", "reset", "session")
    history.record("account.verify", actor=account, after={"issuer": person.issuer})
    return account


def _name(email: str, person: Person) -> str:
    return text_rules.line(text_rules.carried(person.name)) or email.partition("@")[0].replace(".", " ").title()


def _add(account: Account, person: Person, *, actor: Account) -> Identity:
    identity = Identity(
        account_id=account.id,
        issuer=person.issuer,
        subject=person.subject,
        email=vouched(person),
        created_at=clock.now(),
    )
    db.session.add(identity)
    db.session.flush()
    history.record("identity.link", actor=actor, after=_document(identity))
    return identity


def _document(identity: Identity) -> dict[str, object]:
    return {"account": identity.account_id, "issuer": identity.issuer, "email": identity.email}


def _used(identity: Identity, person: Person) -> None:
    identity.used_at = clock.now()
    if person.email:
        identity.email = person.email.strip().lower()


def link(account: Account, person: Person, *, actor: Account) -> Identity:
    """Let an identity open an existing account; the edge saw its owner sign in to both."""
    identity = find(person.issuer, person.subject)
    if identity is not None and identity.account_id != account.id:
        raise errors.Conflict(
            say("linked_elsewhere", "This sign-on opens another account here. Unlink it there first.")
        )
    if identity is None:
        identity = _add(account, person, actor=actor)
        notifications.send(
            f"identity:{identity.id}",
            to=account.email,
            template="linked",
            name=account.name,
            provider=config.settings().oidc_name,
            email=identity.email,
            url="/account",
        )
    _used(identity, person)
    return identity


def own(account: Account, identity_id: int) -> Identity:
    """An identity of an account; somebody else's is not found."""
    identity = db.session.get(Identity, identity_id)
    if identity is None or identity.account_id != account.id:
        raise errors.NotFound(say("unknown_identity", "There is no such link. It may be removed already."))
    return identity


def unlink(account: Account, identity_id: int, *, actor: Account) -> None:
    """End a link, and every session, because nobody knows which of them it opened."""
    identity = own(account, identity_id)
    if not has_other_way(account, identity):
        raise errors.Conflict(
            say("only_way_in", "This is the only way into your account. Set a password first, then unlink it.")
        )
    history.record("identity.unlink", actor=actor, before=_document(identity))
    db.session.delete(identity)
    accounts.end_sessions(account, actor=actor)


def has_other_way(account: Account, identity: Identity) -> bool:
    """Whether an account can be signed in to without this identity."""
    if account.password_hash or not is_in_use(identity):
        return True
    return any(other.id != identity.id and is_in_use(other) for other in of(account))


def is_in_use(identity: Identity) -> bool:
    """Whether an identity belongs to the provider that is set now; one of a former provider opens nothing."""
    return identity.issuer.rstrip("/") == config.settings().oidc_issuer.rstrip("/")
