"""Single sign-on beside local accounts, through any OpenID Connect provider."""

from portal.web.signon import linking, pages
from portal.web.signon.blueprint import bp

__all__ = ["bp", "linking", "pages"]
