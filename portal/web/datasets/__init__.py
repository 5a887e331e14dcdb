"""My datasets: the list, the form 'Update OMIX Information', its actions and its sharing links."""

from portal.web.datasets import actions, drafts, form, listing, people, share_links
from portal.web.datasets.blueprint import bp

__all__ = ["actions", "bp", "drafts", "form", "listing", "people", "share_links"]
