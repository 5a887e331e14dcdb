"""The append-only history of events, written in the same transaction as the change it tells of."""

from collections.abc import Mapping

from sqlalchemy import insert

from portal import clock, db
from portal.models import Account, Dataset, Event, File, Upload

_APPEND = insert(Event)
_NOTHING = dict.fromkeys(("actor_id", "center_id", "dataset_id", "file_id", "upload_id", "before", "after"))


def record(
    action: str,
    *,
    actor: Account | None,
    dataset: Dataset | None = None,
    file: File | None = None,
    upload: Upload | None = None,
    center_id: int | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    note: str = "",
) -> None:
    """Append one event; `actor` None means the system itself."""
    subject = dataset or upload or actor
    append(
        action,
        actor_id=actor.id if actor else None,
        center_id=center_id or (subject.center_id if subject else None),
        dataset_id=dataset.id if dataset else (file.dataset_id if file else None),
        file_id=file.id if file else None,
        upload_id=upload.id if upload else None,
        before=before,
        after=after,
        note=note,
    )


def append(action: str, **columns: object) -> None:
    """One event by its columns."""
    append_all(action, [columns])


def append_all(action: str, rows: list[dict[str, object]]) -> None:
    """Events of one kind by their columns: no objects are made, because every arrival writes one."""
    if not rows:
        return
    shared = {"at": clock.now(), "action": action, "note": "", **_NOTHING}
    db.session.connection().execute(_APPEND, [shared | row for row in rows])
