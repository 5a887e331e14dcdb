"""Tracking: what was submitted, what was published, what needs attention, and every file that is not loaded yet."""

from portal.web.tracking import exports, files, reports, submissions
from portal.web.tracking.blueprint import bp

__all__ = ["bp", "exports", "files", "reports", "submissions"]
