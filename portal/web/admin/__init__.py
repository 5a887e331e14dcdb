"""The operator's pages, for curators: people, centers, history, self-check, jobs and mails."""

from portal.web.admin import (
    centers,
    events,
    handover,
    jobs,
    mails,
    overview,
    people,
    person,
    self_check,
    uploads,
)
from portal.web.admin.blueprint import bp

__all__ = [
    "bp",
    "centers",
    "events",
    "handover",
    "jobs",
    "mails",
    "overview",
    "people",
    "person",
    "self_check",
    "uploads",
]
