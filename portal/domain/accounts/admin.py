"""What a curator does for somebody else's account: invite, role, center, confirm, a link to set a password, open again.

Signing out and closing are the account's own verbs. Each change is an event that names the account in `after`."""

from portal import clock, db, errors
from portal.domain.accounts import accounts, centers, tokens
from portal.domain.shared import history, notifications
from portal.domain.shared.transitions import transition
from portal.messages import say
from portal.models import Account, Center

LINK_LIFETIME = 3 * clock.DAY


def invite(*, email: str, name: str, role: str, center: str, actor: Account | None) -> tuple[Account, str]:
    """Make an account that is open at once and has no password; returns it and the secret of the link that sets one."""
    email, name = accounts.clean_email(email), accounts.clean_name(name)
    _check_role(role)
    if accounts.by_email(email) is not None:
        raise errors.Invalid(fields={"email": accounts.taken(email)})
    home = existing(center) if center.strip() else centers.own(name, name)
    account = Account(
        email=email,
        name=name,
        role=role,
        center_id=home.id,
        state="active",
        verified_at=clock.now(),
        created_at=clock.now(),
    )
    db.session.add(account)
    db.session.flush()
    _record("account.invite", account, actor, email=email, role=role)
    return account, _link(account)


def existing(name: str) -> Center:
    """The center of a name as it is typed. Raises Invalid where there is none: a typing error must not make a new
    one."""
    center = centers.find(centers.clean_name(name))
    if center is None:
        unknown = say("unknown_center", "There is no center called {name}. Make it under Centers.", name=name.strip())
        raise errors.Invalid(fields={"center": unknown})
    return center


def set_role(account: Account, role: str, *, actor: Account | None) -> None:
    """Make a curator of a submitter, or the reverse; the last curator stays one."""
    _check_role(role)
    before = account.role
    if role == before:
        return
    if not account.is_active:
        raise errors.Conflict(
            say("role_of_unopened", "Only an open account changes its role: confirm it, or open it again.")
        )
    if before == "curator" and accounts.count_curators() == 1:
        raise errors.Conflict(say("last_curator", "This is the last curator; make another one first."))
    account.role = role
    _record("account.role", account, actor, before={"role": before}, role=role)


def _check_role(role: str) -> None:
    if role not in accounts.ROLES:
        raise errors.Invalid(fields={"role": accounts.UNKNOWN_ROLE})


def move(account: Account, center: Center, *, actor: Account | None) -> None:
    """Move an account into another center. What was sent and deposited stays with the center that it was made in; an
    FTP session, which shows the former one's reports, ends."""
    if center.id == account.center_id:
        return
    before = account.center.name
    account.center, account.center_id = center, center.id
    account.epoch += 1
    _record("account.move", account, actor, before={"center": before}, center=center.name)


def confirm(account: Account, *, actor: Account | None) -> None:
    """Confirm the address of an account on a curator's word instead of by the link in the mail."""
    if account.state != "new":
        raise errors.Conflict(
            say(
                "nothing_to_confirm",
                "This account is {state}; only a new one waits for its confirmation.",
                state=account.state,
            )
        )
    transition(account, "confirm", verified_at=clock.now())
    tokens.drop(account, "verify")
    _record("account.confirm", account, actor)


def reopen(account: Account, *, actor: Account | None) -> None:
    """Open a closed account again. It has no password until its owner sets one by a link."""
    if account.state != "closed":
        raise errors.Conflict(say("account_not_closed", "This account is not closed."))
    transition(account, "reopen" if account.verified_at else "reopen_unconfirmed")
    accounts.forget_identities(account)
    _record("account.reopen", account, actor)


def reset_link(account: Account, *, actor: Account | None) -> str:
    """The secret of a link that sets a new password, to be handed over; the owner is told by mail that it was made."""
    if account.state == "closed":
        raise errors.Conflict(say("reopen_first", "This account is closed. Open it again first."))
    secret = _link(account)
    _record("account.reset_link", account, actor)
    by = actor.name if actor else "The operator"
    notifications.send(
        f"handed:{tokens.digest(secret)[:16]}",
        to=account.email,
        template="reset_by_hand",
        name=account.name,
        days=LINK_LIFETIME // clock.DAY,
        by=by,
        url="/account",
    )
    return secret


def _link(account: Account) -> str:
    """The secret of a new reset link; an earlier one is dead."""
    tokens.drop(account, "reset")
    return tokens.issue(account, "reset", lifetime=LINK_LIFETIME)


def _record(
    action: str, account: Account, actor: Account | None, *, before: dict[str, object] | None = None, **after: object
) -> None:
    history.record(
        action, actor=actor, center_id=account.center_id, before=before, after={"account": account.id, **after}
    )
