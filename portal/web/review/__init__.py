"""Review: the curators' queue, a dataset as its submitter sees it with what is new, the decision, and the remarks that
both sides write and read."""

from portal.web.review import decision, page, queue, remarks
from portal.web.review.blueprint import bp

__all__ = ["bp", "decision", "page", "queue", "remarks"]
