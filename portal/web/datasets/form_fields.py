"""What is typed into the form of a dataset: its fields, and the rows of files that are not declared yet."""

from typing import Any

from flask import request

from portal import errors
from portal.domain.datasets import datasets, drafts
from portal.domain.files import files
from portal.messages import Message
from portal.models import Account, Dataset

INFO = (
    "title",
    "description",
    "species",
    "investigator",
    "data_type",
    "access",
    "bioproject",
    "release_date",
    "filing_number",
)
ROW = drafts.ROW

Rows = dict[int, dict[str, str]]


def info() -> dict[str, str]:
    """The dataset's own fields that the form carried. A box that is not ticked is not sent."""
    values = {field: request.form[field] for field in INFO if field in request.form}
    if "title" in values:
        values["human"] = request.form.get("human", "")
    return values


def was() -> dict[str, str]:
    """What each field held when the form was made, as its hidden fields say."""
    return {key[4:]: value.replace("\r\n", "\n") for key, value in request.form.items() if key.startswith("was.")}


def rows() -> Rows:
    """The typed rows by the number that their fields carry."""
    typed_rows: Rows = {}
    for key, value in request.form.items():
        part = ROW.fullmatch(key)
        if part and part[2] in files.EDITABLE_FIELDS:
            typed_rows.setdefault(int(part[1]), {})[part[2]] = value
    return dict(sorted(typed_rows.items()))


def filled(typed: Rows) -> Rows:
    """Without the rows that hold nothing."""
    return {n: row for n, row in typed.items() if any(row[field].strip() for field in row if field != "unit")}


def one_more(typed: Rows) -> Rows:
    return {**typed, max(typed, default=-1) + 1: {}}


def faults(values: dict[str, Any], typed: Rows) -> dict[str, Message]:
    """A message for every field that breaks a rule, of the dataset and of all rows at once."""
    return datasets.check(values)[1] | drafts.row_faults(typed)


def apply(dataset: Dataset, values: dict[str, Any], typed: Rows, *, actor: Account) -> None:
    """Save all of it or nothing, and name every fault."""
    wrong = faults(values, typed)
    if wrong:
        raise errors.Invalid(fields=wrong)
    mine = drafts.changed(dataset, values, was())
    datasets.edit(dataset, mine, actor=actor)
    drafts.forget_saved(dataset, [*values, *(key for key in request.form if ROW.fullmatch(key))])
    declare(dataset, typed, actor=actor)


def declare(dataset: Dataset, typed: Rows, *, actor: Account) -> None:
    """Add the typed rows; faults come back under the numbers that the rows carry."""
    numbers = list(typed)
    try:
        files.add(dataset, list(typed.values()), actor=actor)
    except errors.Invalid as error:
        error.rename(lambda key: _renumber(key, numbers))
        raise


def _renumber(key: str, numbers: list[int]) -> str:
    part = ROW.fullmatch(key)
    return f"files.{numbers[int(part[1])]}.{part[2]}" if part else key
