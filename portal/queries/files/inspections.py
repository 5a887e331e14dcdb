"""What was found in an upload, and the members of a package by their order."""

from sqlalchemy import Select, select

from portal import db
from portal.models import Member, Upload
from portal.queries.paging import keyset


def page(upload: Upload, *, faults: bool = False, after: str = "", before: str = "") -> keyset.Page:
    """A hundred members; with `faults` only those of which something is told."""
    fetched = keyset.fetch(
        _members(upload, faults), (Member.n,), lambda row: (row[0].n,), after=after, before=before, descending=False
    )
    return keyset.Page([row[0] for row in fetched.rows], fetched.newer, fetched.older)


def members(upload: Upload, *, faults: bool = False, after: int, limit: int) -> list[Member]:
    """Members with numbers above `after`; with `faults` only faulty ones."""
    query = _members(upload, faults).where(Member.n > after)
    return list(db.session.scalars(query.order_by(Member.n).limit(limit)))


def has_faults(upload: Upload) -> bool:
    """Whether a fault was found in any member of a package."""
    query = select(Member.n).where(Member.upload_id == upload.id, Member.error.is_not(None)).limit(1)
    return db.session.scalar(query) is not None


def _members(upload: Upload, faults: bool) -> Select[Member]:
    """Members that were written before their upload's result are not shown."""
    shown = upload.id if upload.inspected_at is not None else 0
    query = select(Member).where(Member.upload_id == shown)
    return query.where(Member.error.is_not(None)) if faults else query
