"""My datasets: the list, the form 'Update OMIX Information', its files, and files that come through the browser."""

from portal.web.deposit import (
    acts,
    choosing,
    drafts,
    files,
    form,
    listing,
    lists,
    many,
    replacing,
    sending,
    sharing,
    sheets,
)
from portal.web.deposit.blueprint import bp

__all__ = [
    "acts",
    "bp",
    "choosing",
    "drafts",
    "files",
    "form",
    "listing",
    "lists",
    "many",
    "replacing",
    "sending",
    "sharing",
    "sheets",
]
