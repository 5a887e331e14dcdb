"""Why nobody was signed on: each is a page that offers the local sign-in."""

from portal import config, errors


class SignOnFault(errors.DomainError):
    status, title, code = 403, "You are not signed in", "sign_on"
    topic = "account"


class Unreachable(SignOnFault):
    status, title, code = 503, "Single sign-on does not answer", "sign_on_down"


class Broken(SignOnFault):
    status, title, code = 502, "Single sign-on is not set up well", "sign_on_broken"


def silent() -> str:
    return f"{config.settings().oidc_name} does not answer. Try again in a moment."
