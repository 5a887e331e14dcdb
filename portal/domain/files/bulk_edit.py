"""Many files of a dataset changed, filled in or deleted at once, in a handful of statements whatever their number."""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update

from portal import clock, db, errors, states
from portal.domain.files import files, matching
from portal.domain.shared import history
from portal.models import Account, Dataset, File, Upload

STEP = 1000


class Change(NamedTuple):
    """What is said of a file, before and after."""

    id: int
    n: int
    name: str
    before: dict[str, Any]
    after: dict[str, Any]


def apply(dataset: Dataset, changes: list[Change], *, actor: Account) -> None:
    if not changes:
        return
    db.session.flush()
    now, connection = clock.now(), db.session.connection()
    alike: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault(tuple(change.after), []).append(change)
    for names, some in alike.items():
        values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in names}
        statement = update(File).where(File.id == bindparam("file")).values(**values, updated_at=now)
        told = [{f"to_{name}": value for name, value in one.after.items()} | {"file": one.id} for one in some]
        connection.execute(statement, told)
    db.session.expire_all()
    history.append_all(
        "edit_file",
        [
            {
                "actor_id": actor.id,
                "center_id": dataset.center_id,
                "dataset_id": dataset.id,
                "file_id": one.id,
                "before": one.before,
                "after": one.after,
            }
            for one in changes
        ],
    )
    matching.recompute_states(dataset, [one.id for one in changes if "declared_md5" in one.after])
    files.touched(dataset, actor=actor)


def fill(dataset: Dataset, ids: list[int], field: str, value: Any, *, actor: Account) -> int:
    """Give these files the same value in one field. Returns how many changed."""
    files.refuse_released(dataset)
    if field not in files.SAID:
        raise errors.Invalid(fields={"field": "Choose what to fill in."})
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


def _rows(dataset: Dataset, ids: list[int], *columns) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), STEP):
        query = files.living(dataset).with_only_columns(*columns).where(File.id.in_(ids[start : start + STEP]))
        found += db.session.execute(query).all()
    return found


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
        raise errors.Frozen(f"{name} is being archived just now. Delete it in a moment.")
    gone = {"state": states.REMOVED, "updated_at": clock.now(), "upload_id": None, "replaces_id": None}
    db.session.execute(update(File).where(File.id.in_(ids)).values(**gone))
    db.session.execute(update(File).where(File.replaces_id.in_(ids)).values(replaces_id=None))
