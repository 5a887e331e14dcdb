"""A draft as it is typed: fields save one by one, what breaks a rule is kept until it is mended, and nobody's other
window is overwritten unseen. Rows of files that are not declared yet are kept as `files.<n>.<field>`."""

import json
import re
from collections.abc import Iterable

from portal import db, errors, states
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.messages import Message, say
from portal.models import Account, Dataset

SAVING = (states.DRAFT, states.RETURNED)
ROW = re.compile(r"files\.(\d{1,6})\.([a-z0-9_]+)")
MOST_ROWS, LONGEST = 500, 5000


def pending(dataset: Dataset) -> dict[str, str]:
    """What was typed and is not valid yet, by field."""
    typed: dict[str, str] = json.loads(dataset.pending) if dataset.pending else {}
    return typed


def faults(dataset: Dataset) -> dict[str, Message]:
    """A message for each field that holds something not valid yet."""
    return datasets.check(pending(dataset))[1] | row_faults(rows(dataset))


def row_faults(typed: dict[int, dict[str, str]]) -> dict[str, Message]:
    """A message for each faulty field of typed rows, by `files.<n>.<field>`."""
    return {f"files.{n}.{field}": message for n, row in typed.items() for field, message in files.check(row)[1].items()}


def rows(dataset: Dataset) -> dict[int, dict[str, str]]:
    """The rows of files that are typed and not declared yet, by their numbers."""
    rows_by_number: dict[int, dict[str, str]] = {}
    for key, value in pending(dataset).items():
        if part := ROW.fullmatch(key):
            rows_by_number.setdefault(int(part[1]), {})[part[2]] = value
    return dict(sorted(rows_by_number.items()))


def shown(dataset: Dataset, field: str) -> str:
    """A field as its form shows it: what was typed last, as text."""
    kept = pending(dataset)
    return kept[field] if field in kept else as_text(getattr(dataset, field, ""))


def as_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value).replace("\r\n", "\n")


def changed(dataset: Dataset, values: dict[str, object], was: dict[str, str]) -> dict[str, object]:
    """Of a whole form only what its reader changed: `was` is what each field held when the form was made. Raises
    Conflict with a message for each field that another window changed meanwhile."""
    mine: dict[str, object] = {}
    clashes: dict[str, Message] = {}
    for field, value in values.items():
        before = was.get(field)
        if before is not None and as_text(value) == as_text(before):
            continue
        stored = shown(dataset, field)
        if before is not None and stored not in (as_text(before), as_text(value)):
            text = "Another window saved “{stored}” here meanwhile. Save again to replace it."
            clashes[field] = say("field_overwritten", text, stored=stored[:200])
        mine[field] = value
    if clashes:
        text = "Some fields were changed in another window meanwhile."
        raise errors.Conflict(say("fields_overwritten", text), fields=clashes)
    return mine


def save_field(dataset: Dataset, field: str, value: object, *, was: str | None, actor: Account) -> Message | None:
    """Save one field as it is typed. Returns a message when it is kept but not valid yet, else None.

    Raises Conflict with `stored` when another window changed the field, or once it is submitted; Invalid."""
    part = ROW.fullmatch(field)
    if field not in datasets.FIELDS and (part is None or part[2] not in files.EDITABLE_FIELDS):
        raise errors.Invalid(say("field_unknown", "There is no field {field!r}.", field=field))
    if dataset.state not in SAVING:
        text = "It is submitted: press Save, and the curators see the change."
        raise errors.Conflict(say("field_needs_save", text))
    stored = shown(dataset, field)
    if part is not None and was is None:
        was = ""
    if was is not None and stored not in (as_text(was), as_text(value)):
        text = "Another window saved “{stored}” here meanwhile."
        raise errors.Conflict(say("field_changed", text, stored=stored[:200]), stored=stored)
    if part is not None:
        return _keep_row(dataset, field, part[2], as_text(value))
    wrong = datasets.check({field: value})[1]
    if wrong:
        keep(dataset, {field: as_text(value)})
        return wrong[field]
    keep(dataset, {field: None})
    datasets.edit(dataset, {field: value}, actor=actor)
    return None


def _keep_row(dataset: Dataset, key: str, field: str, value: str) -> Message | None:
    """A field of a file that is declared with the next Save."""
    if len(value) > LONGEST or (len(rows(dataset)) >= MOST_ROWS and key not in pending(dataset)):
        raise errors.Invalid(say("draft_full", "This is more than a draft keeps: press Save first."))
    keep(dataset, {key: value or None})
    return files.check({field: value})[1].get(field) if value else None


def keep(dataset: Dataset, values: dict[str, str | None]) -> None:
    """Remember what is not valid yet; None forgets."""
    left = {field: value for field, value in (pending(dataset) | values).items() if value is not None}
    dataset.pending = json.dumps(left, ensure_ascii=False) if left else None
    db.session.flush()


def forget_saved(dataset: Dataset, saved: Iterable[str]) -> None:
    """These fields were saved by a whole form: what was kept of them is done with."""
    if dataset.pending:
        keep(dataset, dict.fromkeys(saved))
