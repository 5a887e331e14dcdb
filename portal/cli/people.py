"""The account that a command names by its e-mail address."""

from portal import errors
from portal.domain.accounts import accounts
from portal.messages import say
from portal.models import Account


def account_of(email: str) -> Account:
    """Raises NotFound for an address that nobody has."""
    account = accounts.by_email(email)
    if account is None:
        raise errors.NotFound(say("nobody_at_address", "Nobody has the address {email}.", email=email))
    return account
