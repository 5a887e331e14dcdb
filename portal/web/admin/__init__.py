"""The operator's pages, for curators: people, centers, history, self-check, jobs and mails."""

from portal.web.admin import centers, check, events, handover, jobs, mails, overview, people, person, uploads
from portal.web.admin.blueprint import bp

__all__ = ["bp", "centers", "check", "events", "handover", "jobs", "mails", "overview", "people", "person", "uploads"]
