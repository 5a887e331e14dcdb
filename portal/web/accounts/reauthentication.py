"""Whether the person of the account, and not only their open browser, is here: by the present password, or by having
given their credentials to the provider a moment ago."""

from flask import request, session

from portal import clock, errors
from portal.domain.accounts import accounts
from portal.messages import say
from portal.models import Account
from portal.web.session import client_address

LIFETIME = 10 * clock.MINUTE
SKEW = clock.MINUTE


def note(account: Account, moment: int | None) -> None:
    """The person of an account gave the provider their credentials at a moment (None: it does not say)."""
    if moment is not None and moment <= clock.now() + SKEW:
        session["seen"] = [account.id, moment]


def until(account: Account) -> int | None:
    """How long what was noted of this account counts; None where nothing does."""
    who, moment = session.get("seen", (0, 0))
    end = moment + LIFETIME
    return end if who == account.id and end > clock.now() and "Authorization" not in request.headers else None


def check(account: Account, field: str) -> None:
    """Demand the present password in `field`, or a sign-on of the last minutes. Raises Invalid, or Throttled."""
    if until(account) is not None:
        return
    if not account.password_hash:
        raise errors.Invalid(
            fields={"": say("sign_in_again", "It is a while ago that you signed in. Sign in again, then repeat this.")}
        )
    try:
        accounts.authenticate(account.email, request.form.get(field, ""), address=client_address())
    except errors.WrongCredentials as error:
        raise errors.Invalid(fields={field: say("not_your_password", "This is not your present password.")}) from error
