"""Access to controlled data: the form, the requests of both sides, the terms, and the papers of a grant."""

from portal.web.access import form, listing, papers, show, terms
from portal.web.access.blueprint import bp

__all__ = ["bp", "form", "listing", "papers", "show", "terms"]
