"""The provider of this site. Its module is loaded at the first sign-on: the libraries under it take 16 MB, which a site
without single sign-on keeps."""

from typing import TYPE_CHECKING

from portal import config, errors
from portal.messages import say

if TYPE_CHECKING:
    from portal.web.accounts.single_sign_on.provider import Provider


def provider() -> "Provider":
    """The provider of this site. Raises Unreachable where it does not describe itself, NotFound where none is set."""
    chosen = config.settings()
    if not chosen.oidc_issuer:
        raise errors.NotFound(
            say("no_single_sign_on", "This site has no single sign-on. Sign in with e-mail and password.")
        )
    from portal.web.accounts.single_sign_on.provider import described  # noqa: PLC0415 - see above

    return described(chosen.oidc_issuer, chosen.oidc_client_id, chosen.oidc_client_secret)
