"""Many files of a dataset changed, filled in or deleted at once, in a handful of statements whatever their number."""

from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import InstrumentedAttribute

from portal import clock, db, errors, states
from portal.domain.files import belonging, file_state, files
from portal.domain.shared import history, transitions
from portal.messages import say
from portal.models import Account, Dataset, File, Upload

STEP = 1000


class Change(NamedTuple):
    """Values of some fields of one file, before and after an edit; `n` is its number in the dataset."""

    id: int
    n: int
    name: str
    before: dict[str, object]
    after: dict[str, object]


def apply(dataset: Dataset, changes: list[Change], *, actor: Account) -> None:
    """Write the changes, record an event for each and recompute the state of files whose MD5 changed."""
    if not changes:
        return
    db.session.flush()
    now, connection = clock.now(), db.session.connection()
    alike: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault(tuple(change.after), []).append(change)
    for names, some in alike.items():
        values: dict[str, object] = {name: bindparam(f"to_{name}") for name in names}
        statement = update(File).where(File.id == bindparam("file")).values(**values, updated_at=now)
        rows = [{f"to_{name}": value for name, value in change.after.items()} | {"file": change.id} for change in some]
        connection.execute(statement, rows)
    db.session.expire_all()
    history.append_all(
        "edit_file",
        [
            {
                "actor_id": actor.id,
                "center_id": dataset.center_id,
                "dataset_id": dataset.id,
                "file_id": change.id,
                "before": change.before,
                "after": change.after,
            }
            for change in changes
        ],
    )
    file_state.recompute_states(dataset, [change.id for change in changes if "declared_md5" in change.after])
    files.touched(dataset, actor=actor)


def fill(dataset: Dataset, ids: list[int], field: str, value: object, *, actor: Account) -> int:
    """Give these files the same value in one field. Returns how many changed."""
    files.refuse_released(dataset)
    if field not in files.DESCRIPTIVE_FIELDS:
        raise errors.Invalid(fields={"field": say("fill_field_unknown", "Choose what to fill in.")})
    values, faults = files.check({"name": "x", field: value})
    if faults:
        raise errors.Invalid(fields={"value": faults[field]})
    rows = _rows(dataset, ids, File.id, File.n, File.name, getattr(File, field))
    changes = [
        Change(row.id, row.n, row.name, {field: row[3]}, {field: values[field]})
        for row in rows
        if row[3] != values[field]
    ]
    apply(dataset, changes, actor=actor)
    return len(changes)


def _rows(dataset: Dataset, ids: list[int], *columns: InstrumentedAttribute[Any]) -> list[Row[*tuple[Any, ...]]]:
    """These columns of the living files among `ids`, in the order of the numbers."""
    rows: list[Row[*tuple[Any, ...]]] = []
    for start in range(0, len(ids), STEP):
        query = files.living(dataset).with_only_columns(*columns).where(File.id.in_(ids[start : start + STEP]))
        rows += db.session.execute(query).all()
    return rows


def remove(dataset: Dataset, ids: list[int], *, actor: Account | None) -> int:
    """Take these files out of the dataset. Unarchived bytes stay in the area; archived ones leave with the next bag.
    Returns how many there were. Raises Frozen, and nothing is removed, while one is being archived."""
    files.refuse_released(dataset)
    rows = _rows(dataset, ids, File.id, File.n, File.name, File.state)
    for start in range(0, len(rows), STEP):
        _remove([row.id for row in rows[start : start + STEP]])
    db.session.expire_all()
    history.append_all(
        "remove_file",
        [
            {
                "actor_id": actor.id if actor else None,
                "center_id": dataset.center_id,
                "dataset_id": dataset.id,
                "file_id": row.id,
                "before": {"name": row.name, "state": row.state},
            }
            for row in rows
        ],
    )
    if any(row.state == states.ARCHIVED for row in rows):
        files.mark_bag(dataset)
    if rows:
        files.touched(dataset, actor=actor)
    return len(rows)


def _remove(ids: list[int]) -> None:
    held = (
        select(File.name)
        .join(Upload, Upload.id == File.upload_id)
        .where(File.id.in_(ids), Upload.state == states.CHECKING)
    )
    if name := db.session.scalar(held.limit(1)):
        raise errors.Frozen(
            say("file_being_archived", "{name} is being archived just now. Delete it in a moment.", name=name)
        )
    mine, now = File.id.in_(ids), clock.now()
    belonging.give_back_many(ids)
    transitions.transition_all(File, "remove", mine, updated_at=now, upload_id=None, replaces_id=None)
    db.session.execute(update(File).where(File.replaces_id.in_(ids)).values(replaces_id=None))
