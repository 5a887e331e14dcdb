"""The provider of this site. Its module is loaded at the first sign-on: the libraries under it take 16 MB, which a site
without single sign-on keeps."""

from typing import TYPE_CHECKING

from portal import config, errors

if TYPE_CHECKING:
    from portal.web.accounts.single_sign_on.provider import Provider


def provider() -> "Provider":
    """Unreachable where it does not describe itself; NotFound where none is set."""
    chosen = config.settings()
    if not chosen.oidc_issuer:
        raise errors.NotFound("This site has no single sign-on. Sign in with e-mail and password.")
    from portal.web.accounts.single_sign_on.provider import known  # noqa: PLC0415 - see above

    return known(chosen.oidc_issuer, chosen.oidc_client_id, chosen.oidc_client_secret)
