"""Access to controlled data: the form, the requests of both sides, the terms, and the papers of a grant."""

from portal.web.access_requests import documents, form, listing, show, terms
from portal.web.access_requests.blueprint import bp

__all__ = ["bp", "documents", "form", "listing", "show", "terms"]
