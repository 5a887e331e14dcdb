"""What the form of a dataset shows: typed or stored values, the files, where it stands and what is left to do."""

from typing import Any

from flask import Response, request

from portal import db, errors, states
from portal.domain.accounts import quotas
from portal.domain.datasets import datasets as datasets_said
from portal.domain.datasets import drafts, failed_work, realms, share_links
from portal.domain.permissions import access
from portal.models import Dataset
from portal.queries.datasets import datasets, revision
from portal.queries.files import delays, files, tallies
from portal.queries.uploads import uploads
from portal.web import forms, htmx, permissions
from portal.web.datasets import dataset_status, form_fields

VIEW = ("view", "after", "before", "text", "sort")


def context(
    dataset: Dataset, *, values: dict[str, Any] | None = None, rows: form_fields.Rows | None = None, **more: object
) -> dict[str, Any]:
    """Everything of the whole page. `values` and `rows` are what was typed and is not saved."""
    me = permissions.account()
    row = datasets.rows_of([dataset], me)[0]
    kept = drafts.pending(dataset)
    stored = {field: getattr(dataset, field) for field in (*form_fields.INFO, "human")} | kept
    return {
        "values": {**stored, **(values or {})},
        "was": {field: drafts.as_text(value) for field, value in stored.items()},
        "access_chosen": datasets_said.chose_access(dataset),
        "saving": dataset.state in drafts.SAVING,
        "new_rows": drafts.rows(dataset) | (rows or {}),
        "species": dataset_status.SPECIES,
        "errors": {field: str(message) for field, message in drafts.faults(dataset).items()},
        "realm": realms.of_access(dataset),
        "room": quotas.left(me.center, realms.of_access(dataset), me.id),
        "waiting_here": uploads.unclaimed_count(dataset, me),
        **live(dataset, row),
        **more,
    }


def live(dataset: Dataset, row: datasets.Row | None = None) -> dict[str, Any]:
    """What changes while one looks: the files and the summary."""
    row = row or datasets.rows_of([dataset], permissions.account())[0]
    args = {name: request.args[name] for name in VIEW if request.args.get(name)}
    page = files.page(dataset, **args)
    return {
        "dataset": dataset,
        "row": row,
        "counts": row.counts,
        "declared": tallies.declared(row.counts),
        "bytes": tallies.bytes_of(dataset),
        "files": page,
        "delays": delays.of((file_row.upload, file_row.file) for file_row in page.rows),
        "here": args,
        "kept": {name: args[name] for name in ("view", "text", "sort") if name in args},
        "picking": tallies.declared(row.counts) > 1,
        "rev": revision.of_dataset(dataset),
        "moving": files.moves(dataset, row.counts),
        "work": files.works_of(dataset.id, [])[1],
        "failed_work": failed_work.of(dataset),
        "exposed": share_links.exposed(dataset),
        "release_work": datasets.release_work(dataset),
        "is_owner": access.is_owner(dataset, permissions.account()),
        "editable": dataset.state in states.OPEN_DATASETS and access.may_edit(dataset, permissions.account()),
        "steps": dataset_status.steps(dataset, row),
        "todo": dataset_status.todo(dataset, row),
        "parts": tallies.of([dataset])[dataset.id].components,
        "wrong": {},
    }


def refused(
    dataset: Dataset, error: errors.DomainError, *, values: dict[str, Any], rows: form_fields.Rows, title: str
) -> Response:
    """The page again: every typed value, every fault at its field and in a list at the head."""
    db.session.refresh(dataset)
    page = context(dataset, values=values, rows=rows, refusal=title)
    if isinstance(error, errors.Conflict):
        page["refusal"] = error.sentence
    page.pop("errors")
    return forms.refused("datasets/form/form.html", error, **page)


def files_refused(dataset: Dataset, n: int, value: str, error: errors.DomainError) -> Response:
    """The files again, with what was typed as the MD5 of one of them."""
    db.session.refresh(dataset)
    wrong = {n: (value, " ".join(error.fields.values()) or error.sentence)}
    if htmx.is_htmx():
        return htmx.fragment("datasets/_live.html", error.status, **{**live(dataset), "wrong": wrong})
    return htmx.fragment("datasets/form/form.html", error.status, **context(dataset, wrong=wrong))
