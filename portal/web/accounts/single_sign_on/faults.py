"""Errors of single sign-on: each is a page that offers the local sign-in."""

from portal import config, errors
from portal.messages import Message, say


class SignOnFault(errors.DomainError):
    status, title, code = 403, "You are not signed in", "sign_on"
    topic = "account"


class Unreachable(SignOnFault):
    status, title, code = 503, "Single sign-on does not answer", "sign_on_down"


class Broken(SignOnFault):
    status, title, code = 502, "Single sign-on is not set up well", "sign_on_broken"


def silent() -> Message:
    """What to say where the provider does not answer in time."""
    return say(
        "provider_silent", "{provider} does not answer. Try again in a moment.", provider=config.settings().oidc_name
    )
