"""The JSON face, /api/v1: the same verbs as the forms, for programs. Errors are RFC 9457 problem documents."""

from portal.web.api import openapi
from portal.web.api.access_requests import requests, terms
from portal.web.api.accounts import centers
from portal.web.api.blueprint import bp
from portal.web.api.components import submissions
from portal.web.api.datasets import datasets, people, released, remarks, share_links
from portal.web.api.files import files, md5_lists
from portal.web.api.reports import reports
from portal.web.api.uploads import areas, tus, uploads
from portal.web.api.webhooks import events, webhooks

__all__ = [
    "areas",
    "bp",
    "centers",
    "datasets",
    "events",
    "files",
    "md5_lists",
    "openapi",
    "people",
    "released",
    "remarks",
    "reports",
    "requests",
    "share_links",
    "submissions",
    "terms",
    "tus",
    "uploads",
    "webhooks",
]
