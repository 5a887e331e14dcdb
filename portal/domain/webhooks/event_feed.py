"""The history as programs follow it: in order, by id, what concerns an account."""

from sqlalchemy import Select, or_, select

from portal import clock, db
from portal.domain.permissions import access
from portal.models import Account, Dataset, Event, Upload


def events(account: Account, *, since: int, limit: int, until: int | None = None) -> list[Event]:
    """In order: what concerns the datasets one edits and one's uploads, for curators everything; up to and
    with an id."""
    query: Select[Event] = select(Event).where(Event.id > since)
    if until is not None:
        query = query.where(Event.id <= until)
    if account.role != "curator":
        query = (
            query.outerjoin(Dataset, Dataset.id == Event.dataset_id)
            .outerjoin(Upload, Upload.id == Event.upload_id)
            .where(or_(Event.actor_id == account.id, access.editable_by(account.id), Upload.account_id == account.id))
        )
    return list(db.session.scalars(query.order_by(Event.id).limit(limit)))


def document(event: Event) -> dict[str, object]:
    """An event as programs read it, whether they ask for it or are sent it."""
    return {
        "id": event.id,
        "at": clock.rfc3339(event.at),
        "action": event.action,
        "actor": event.actor_id,
        "dataset": event.dataset_id,
        "file": event.file_id,
        "upload": event.upload_id,
        "before": event.before,
        "after": event.after,
        "note": event.note,
    }
