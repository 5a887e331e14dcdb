"""The JSON face, /api/v1: the same verbs as the forms, for programs. Errors are RFC 9457 problem documents."""

from portal.web.api import (
    areas,
    centers,
    datasets,
    digests,
    events,
    files,
    links,
    openapi,
    released,
    remarks,
    reports,
    requests,
    submit,
    terms,
    tus,
    uploads,
    webhooks,
)
from portal.web.api.blueprint import bp

__all__ = [
    "areas",
    "bp",
    "centers",
    "datasets",
    "digests",
    "events",
    "files",
    "links",
    "openapi",
    "released",
    "remarks",
    "reports",
    "requests",
    "submit",
    "terms",
    "tus",
    "uploads",
    "webhooks",
]
