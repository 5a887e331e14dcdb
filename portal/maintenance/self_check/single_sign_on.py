"""Whether the provider of single sign-on answers and is the one that was set; without one there is nothing to say."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from portal.config import settings
from portal.domain.shared.notifications import site_url
from portal.maintenance.self_check.finding import BAD, OK, WARN, Finding

WITHIN = 4.0
LARGEST = 1 << 20


def check() -> Iterator[Finding]:
    issuer = settings().oidc_issuer.rstrip("/")
    if not issuer:
        yield Finding(OK, "No provider is set; people sign in with e-mail and password.")
        return
    try:
        configuration = described(issuer)
    except (OSError, ValueError) as error:
        yield Finding(BAD, f"The provider at {issuer} does not describe itself: {error}", "See OMIX_OIDC_ISSUER.")
        return
    if str(configuration.get("issuer", "")).rstrip("/") != issuer:
        yield Finding(
            BAD, f"The provider calls itself {configuration.get('issuer')!r}.", "Set OMIX_OIDC_ISSUER to that."
        )
    else:
        yield Finding(OK, f"The provider at {issuer} answers. It must know {site_url('/signon/back')}.")
    if not settings().public_url:
        yield Finding(
            WARN, "The provider sends people to where the web listens on this machine.", "Set OMIX_PUBLIC_URL."
        )


def described(issuer: str) -> dict[str, Any]:
    """What the provider says of itself; ValueError where that is no object."""
    address = f"{issuer}/.well-known/openid-configuration"
    with urllib.request.urlopen(address, timeout=WITHIN) as answer:  # noqa: S310 - checked as the setting is read
        configuration = json.loads(answer.read(LARGEST))
    if not isinstance(configuration, dict):
        raise ValueError("it is no JSON object")
    return configuration
