"""The tracking table: uploads of an account by period, state and text, by key."""

from datetime import date, timedelta

from sqlalchemy import or_

from portal import clock, states
from portal.config import settings
from portal.models import Account, File, Upload
from portal.queries import keyset, uploads

NOT_LOADED = (states.RECEIVING, *states.LISTED)
PROBLEM_FILES = (states.FAILED, states.ERROR)


def page(
    account: Account, *, first: date, last: date, text: str = "", state: str = "", after: str = "", before: str = ""
) -> keyset.Page:
    """The newest first. `state` is '' (not loaded), 'problems', 'loaded' or 'all'."""
    zone = settings().timezone
    begin, end = clock.midnight(first, zone), clock.midnight(last + timedelta(days=1), zone)
    query = uploads.query_of(account.id).where(Upload.created_at >= begin, Upload.created_at < end)
    if state == "problems":
        bad = (states.INCOMPLETE, states.FAILED)
        query = query.where(or_(Upload.state.in_(bad), File.state.in_(PROBLEM_FILES)))
    elif state == "loaded":
        query = query.where(Upload.state == states.ARCHIVED)
    elif state != "all":
        query = query.where(Upload.state.in_(NOT_LOADED))
    if text.strip():
        query = query.where(Upload.name.contains(text.strip(), autoescape=True))
    found = keyset.fetch(query, (Upload.id,), lambda row: (row[0].id,), after=after, before=before)
    return keyset.Page([uploads.row_of(row) for row in found.rows], found.newer, found.older)
