"""People: register, confirm, sign in, passwords, closing. authenticate() is the one verb that brings its own short
transactions, because a failure must be counted and a hash takes its time; every other verb runs inside the edge's."""

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select, update

from portal import clock, config, db, errors, states
from portal.domain.accounts import centers, passwords, rate_limit, tokens
from portal.domain.shared import history, notifications, text_rules
from portal.domain.shared.transitions import transition
from portal.messages import Message, say
from portal.models import Account, Dataset, Identity

VERIFY_LIFETIME = clock.DAY
RESET_LIFETIME = clock.HOUR
ROLES = ("submitter", "curator")
UNKNOWN_ROLE = say("unknown_role", "A role is submitter or curator.")
CLOSED = say("account_closed", "This account is closed.")


class NotConfirmed(errors.SignInNeeded):
    title, code = "This address is not confirmed yet", "not_confirmed"


def by_email(email: str) -> Account | None:
    """The account of an address as somebody typed it, whatever its state."""
    return db.session.scalar(select(Account).where(Account.email == email.strip().lower()))


def clean_email(email: str) -> str:
    """The address in lower case. Raises Invalid on one that mail cannot be sent to."""
    try:
        checked = validate_email(
            email.strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise errors.Invalid(
            fields={"email": say("no_email", "This is no e-mail address, such as ines.okafor@example.org.")}
        ) from error
    return checked.normalized.lower()


def clean_name(name: str, *, field: str = "name") -> str:
    cleaned = text_rules.line(name, longest=200)
    if not cleaned:
        raise errors.Invalid(fields={field: say("name_needed", "Give the name that colleagues know you by.")})
    return cleaned


def register(*, email: str, name: str, password: str, center: str = "") -> None:
    """Make an unconfirmed account and mail its link. The caller cannot tell whether the address was known already: its
    owner gets a mail instead."""
    if not config.settings().registration:
        raise errors.Forbidden(
            say("registration_closed", "Registration is closed here. Ask the operator for an account.")
        )
    email, name = clean_email(email), clean_name(name)
    secret = passwords.hashed(password)
    account = by_email(email)
    if not rate_limit.may_mail("register", email):
        return
    if account is not None and account.state != "new":
        notifications.send(
            f"exists:{email}:{clock.now()}", to=email, template="registered-exists", name=account.name, url="/reset"
        )
        return
    if account is None:
        account = Account(email=email, name=name, role="submitter", created_at=clock.now())
        account.center_id = centers.own(text_rules.line(center, longest=200) or name, name).id
        db.session.add(account)
        db.session.flush()
        history.record("account.register", actor=account, after={"email": email})
    account.name, account.password_hash = name, secret
    send_verify(account)


def send_verify(account: Account) -> None:
    """Mail a link that confirms the address; earlier links are dead."""
    _mail_link(account, "verify", lifetime=VERIFY_LIFETIME)


def _mail_link(account: Account, kind: str, *, lifetime: int) -> None:
    """Mail a single-use link of this kind ("verify" or "reset", as its template and address are called)."""
    tokens.drop(account, kind)
    secret = tokens.issue(account, kind, lifetime=lifetime)
    notifications.send(
        f"{kind}:{tokens.digest(secret)[:16]}",
        to=account.email,
        template=kind,
        name=account.name,
        url=f"/{kind}/{secret}",
        hours=lifetime // clock.HOUR,
    )


def taken(email: str) -> Message:
    """What to say where an account has this address already."""
    return say("email_taken", "There is an account of {email} already.", email=email)


def unknown(email: str) -> Message:
    """What to say where no account has this address."""
    return say("email_unknown", "Nobody here has the address {email}.", email=email.strip())


def create(*, email: str, password: str, role: str = "submitter", center: str = "", name: str = "") -> Account:
    """An account by the operator's hand, confirmed at once; it also opens one that was registered or closed."""
    email = clean_email(email)
    if role not in ROLES:
        raise errors.Invalid(fields={"role": UNKNOWN_ROLE})
    secret = passwords.hashed(password)
    account = by_email(email)
    if account is not None and account.state == "active":
        raise errors.Conflict(taken(email))
    name = text_rules.line(name, longest=200) or email.partition("@")[0].replace(".", " ").title()
    home = centers.ensure(center) if center else centers.own(name, name)
    if account is None:
        account = Account(email=email, state=states.ACTIVE, created_at=clock.now())
        db.session.add(account)
    else:
        forget_identities(account)
        transition(account, "confirm" if account.state == states.NEW else "reopen")
    account.name, account.center_id = name, home.id
    account.role, account.password_hash, account.verified_at = role, secret, clock.now()
    db.session.flush()
    history.record(
        "account.create",
        actor=None,
        center_id=account.center_id,
        after={"account": account.id, "email": email, "role": role},
    )
    return account


def forget_identities(account: Account) -> None:
    """Remove the sign-on identities of an account, so that nothing that opened it before opens it again."""
    db.session.execute(delete(Identity).where(Identity.account_id == account.id))


def authenticate(email: str, password: str, *, address: str) -> Account:
    """The account of an e-mail and password. Call it outside any transaction.

    Raises WrongCredentials, Throttled, or NotConfirmed (which only the right password gets to see).
    """
    account = _check_password(email, password, address=address, ftp=False)
    if account.state == "new":
        raise NotConfirmed(
            say("confirm_first", "Open the link in the mail we sent you first, or register again to get a new one.")
        )
    return account


def authenticate_ftp(email: str, password: str, *, address: str) -> Account:
    """The account of an e-mail and password for FTP, where the FTP-only password counts too; errors as in
    authenticate()."""
    account = _check_password(email, password, address=address, ftp=True)
    if account.state == "new":
        raise NotConfirmed(say("confirm_first_ftp", "Confirm the e-mail address of this account first."))
    return account


def _check_password(email: str, password: str, *, address: str, ftp: bool) -> Account:
    email = email.strip().lower()
    limits = rate_limit.sign_in_limits(email, address)
    with passwords.gate:
        left = rate_limit.check(limits)
        account = by_email(email)
        open_to = account if account is not None and account.state != "closed" else None
        right = passwords.matches(open_to.password_hash if open_to else None, password)
        if ftp and not right:
            right = passwords.matches(open_to.ftp_password_hash if open_to else None, password)
        if not right:
            with db.transaction():
                rate_limit.count(*limits)
            raise wrong(left - 1)
    assert open_to is not None
    user = next(iter(limits))
    if rate_limit.is_counted(user):
        with db.transaction():
            rate_limit.forget(user)
    return open_to


def wrong(left: int) -> errors.WrongCredentials:
    """The error of a wrong password, with how many attempts are left before the pause."""
    minutes = rate_limit.WINDOW // clock.MINUTE
    unfit = say("wrong_password", "E-mail and password do not fit together.")
    if left <= 0:
        pause = say("pause_now", "Now there is a pause of {minutes} minutes.", minutes=minutes)
    else:
        pause = say(
            "pause_after",
            "After {count} more attempt there is a pause of {minutes} minutes.",
            plural="After {count} more attempts there is a pause of {minutes} minutes.",
            count=left,
            minutes=minutes,
        )
    return errors.WrongCredentials([unfit, pause])


def confirm(secret: str, password: str, *, address: str) -> Account:
    """Confirm an address by the link that was sent to it, and the password chosen when registering: without that,
    whoever registers a stranger's address would get an account that the stranger confirms. Call it outside any
    transaction, as authenticate()."""
    token = tokens.find("verify", secret)
    if token is None:
        raise tokens.DeadLink(tokens.DEAD)
    _check_password(token.account.email, password, address=address, ftp=False)
    with db.transaction():
        return verify(secret)


def verify(secret: str) -> Account:
    """Confirm the address that the link was sent to."""
    account = tokens.use("verify", secret).account
    if account.state == "closed":
        raise errors.NotFound(CLOSED)
    if account.state == states.NEW:
        transition(account, "confirm")
    account.verified_at = clock.now()
    tokens.drop(account, "verify")
    history.record("account.verify", actor=account)
    return account


def start_reset(email: str) -> None:
    """Send a link to set a new password; says nothing of whether the address is known."""
    email = clean_email(email)
    account = by_email(email)
    if not rate_limit.may_mail("reset", email) or account is None or account.state == "closed":
        return
    _mail_link(account, "reset", lifetime=RESET_LIFETIME)


def finish_reset(secret: str, password: str) -> Account:
    """Set a new password by a reset link, which also proves the address."""
    chosen = passwords.hashed(password)
    account = tokens.use("reset", secret).account
    if account.state == "closed":
        raise errors.NotFound(CLOSED)
    if account.state == states.NEW:
        transition(account, "confirm", verified_at=clock.now())
    set_password(account, chosen, actor=account)
    rate_limit.forget(f"user:{account.email}")
    return account


def set_password(account: Account, password: str, *, actor: Account | None) -> None:
    """Set a password; every session, on the web and over FTP, and every open link of the account ends."""
    account.password_hash = str(passwords.hashed(password))
    tokens.drop(account, "reset", "verify")
    end_sessions(account, actor=actor, action="account.password")


def end_sessions(account: Account, *, actor: Account | None, action: str = "account.sign_out") -> None:
    """Sign out everywhere. FTP sessions see the epoch within seconds."""
    account.epoch += 1
    tokens.drop(account, "session")
    history.record(action, actor=actor, center_id=account.center_id, after={"account": account.id})


def rename(account: Account, name: str, *, actor: Account) -> None:
    """Another name, also in the search text of the account's datasets; what is released keeps the name it had."""
    before, account.name = account.name, clean_name(name)
    if before != account.name:
        theirs = update(Dataset).where(Dataset.account_id == account.id, Dataset.released_at.is_(None))
        db.change(theirs.values(search_text=func.replace(Dataset.search_text, before.lower(), account.name.lower())))
        history.record("account.rename", actor=actor, before={"name": before}, after={"name": account.name})


def make_ftp_password(account: Account, *, actor: Account | None = None) -> str:
    """Make or replace the FTP-only password; FTP sessions opened with the former one end."""
    password = passwords.for_ftp()
    account.ftp_password_hash = str(passwords.hashed(password))
    account.epoch += 1
    history.record("account.ftp_password", actor=actor or account, after={"account": account.id})
    return password


def remove_ftp_password(account: Account, *, actor: Account) -> None:
    """Remove the FTP-only password and end the FTP sessions."""
    account.ftp_password_hash = None
    account.epoch += 1  # sessions opened with it end
    history.record("account.ftp_password_removed", actor=actor, after={"account": account.id})


def close(account: Account, *, actor: Account | None) -> None:
    """Close an account: nothing opens it any more; what it deposited stays."""
    if account.is_curator and account.is_active and count_curators() == 1:
        raise errors.Conflict(
            say("last_curator_closes", "This is the last curator; make another one before you close it.")
        )
    if account.state != states.CLOSED:
        transition(account, "close")
    account.password_hash, account.ftp_password_hash = None, None
    tokens.drop(account, "api", "verify", "reset")
    end_sessions(account, actor=actor, action="account.close")


def count_curators() -> int:
    """The number of active curators."""
    query = select(func.count()).select_from(Account).where(Account.role == "curator", Account.state == "active")
    return db.session.scalar(query) or 0
