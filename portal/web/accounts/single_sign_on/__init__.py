"""Single sign-on beside local accounts, through any OpenID Connect provider."""

from portal.web.accounts.single_sign_on import linking, pages
from portal.web.accounts.single_sign_on.blueprint import bp

__all__ = ["bp", "linking", "pages"]
