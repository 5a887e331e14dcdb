"""A draft as it is typed: fields save one by one, what breaks a rule is kept until it is mended, and nobody's other
window is overwritten unseen."""

import json
from typing import Any

from portal import db, errors, states
from portal.domain import datasets
from portal.models import Account, Dataset

SAVING = (states.DRAFT, states.RETURNED)


def pending(dataset: Dataset) -> dict[str, str]:
    """What was typed and is not valid yet, by field."""
    return json.loads(dataset.pending) if dataset.pending else {}


def faults(dataset: Dataset) -> dict[str, str]:
    """A sentence for each field that holds something not valid yet."""
    return datasets.check(pending(dataset))[1]


def shown(dataset: Dataset, field: str) -> str:
    """A field as its form shows it: what was typed last, as text."""
    kept = pending(dataset)
    return kept[field] if field in kept else as_text(getattr(dataset, field))


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value).replace("\r\n", "\n")


def changed(dataset: Dataset, values: dict[str, Any], was: dict[str, str]) -> dict[str, Any]:
    """Of a whole form only what its reader changed: `was` is what each field held when the form was made. Raises
    Conflict with a sentence for each field that another window changed meanwhile."""
    mine, clashes = {}, {}
    for field, value in values.items():
        before = was.get(field)
        if before is not None and as_text(value) == as_text(before):
            continue
        stored = shown(dataset, field)
        if before is not None and stored not in (as_text(before), as_text(value)):
            clashes[field] = f"Another window saved “{stored[:200]}” here meanwhile. Save again to replace it."
        mine[field] = value
    if clashes:
        raise errors.Conflict("Some fields were changed in another window meanwhile.", fields=clashes)
    return mine


def save_field(dataset: Dataset, field: str, value: Any, *, was: str | None, actor: Account) -> str:
    """Save one field as it is typed. Returns a sentence when it is kept but not valid yet, else nothing.

    Raises Conflict with `stored` when another window changed the field, or once it is submitted; Invalid."""
    if field not in datasets.FIELDS:
        raise errors.Invalid(f"There is no field {field!r}.")
    if dataset.state not in SAVING:
        raise errors.Conflict("It is submitted: press Save, and the curators see the change.")
    stored = shown(dataset, field)
    if was is not None and stored not in (as_text(was), as_text(value)):
        raise errors.Conflict(f"Another window saved “{stored[:200]}” here meanwhile.", stored=stored)
    wrong = datasets.check({field: value})[1]
    if wrong:
        keep(dataset, {field: as_text(value)})
        return wrong[field]
    keep(dataset, {field: None})
    datasets.edit(dataset, {field: value}, actor=actor)
    return ""


def keep(dataset: Dataset, values: dict[str, str | None]) -> None:
    """Remember what is not valid yet; None forgets."""
    left = {field: value for field, value in (pending(dataset) | values).items() if value is not None}
    dataset.pending = json.dumps(left, ensure_ascii=False) if left else None
    db.session.flush()


def settle(dataset: Dataset, saved: dict[str, Any]) -> None:
    """These fields were saved by a whole form: what was kept of them is done with."""
    if dataset.pending:
        keep(dataset, dict.fromkeys(saved))
