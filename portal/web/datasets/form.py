"""The form 'Update OMIX Information': new, shown, saved. Saving never loses a typed word."""

from typing import Any

from flask import Response, flash, render_template, request, url_for

from portal import clock, db, errors, states
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.domain.permissions import access
from portal.models import Dataset
from portal.web import forms, htmx, idempotency, permissions
from portal.web.datasets import asking, dataset_status, form_fields, form_page
from portal.web.datasets.blueprint import address, bp, ref

TWICE = 10_000


@bp.get("/deposit/new")
@permissions.signed_in
def new_page() -> str:
    return render_template(
        "datasets/form/new.html",
        values={"access": "open"},
        errors={},
        once=idempotency.key(),
        new_rows={},
        species=dataset_status.SPECIES,
    )


@bp.post("/deposit/new")
@permissions.signed_in
def create() -> Response:
    me, values, rows, sent = permissions.account(), form_fields.info(), form_fields.rows(), request.form.get("once", "")
    if "more" in request.form:
        rows = form_fields.one_more(rows)
        return htmx.fragment(
            "datasets/form/new.html", values=values, errors={}, once=sent, new_rows=rows, species=dataset_status.SPECIES
        )
    try:
        with db.transaction():
            url = idempotency.answered(me, sent)
            if url is None:
                url = address(_create(values, form_fields.filled(rows)))
                idempotency.remember(me, sent, url)
            else:
                _complete(access.load(url.rpartition("/")[2], actor=me, right="edit"), values, form_fields.filled(rows))
    except errors.DomainError as error:
        return forms.refused(
            "datasets/form/new.html", error, values=values, once=sent, new_rows=rows, species=dataset_status.SPECIES
        )
    flash("The draft is made. Only you see it.", "ok")
    return htmx.go_to(url)


def _create(values: dict[str, Any], rows: form_fields.Rows) -> Dataset:
    wrong = form_fields.faults(values, rows)
    if wrong:
        raise errors.Invalid(fields=wrong)
    dataset = datasets.create(actor=permissions.account(), **values)
    form_fields.declare(dataset, rows, actor=permissions.account())
    return dataset


def _complete(dataset: Dataset, values: dict[str, Any], rows: form_fields.Rows) -> None:
    """Its first field, or this very form, made the draft already: what else was typed belongs to it too."""
    if dataset.state == states.DRAFT:
        form_fields.apply(dataset, values, {} if files.count(dataset) else rows, actor=permissions.account())


@bp.post("/deposit/<ref>/copy")
@permissions.signed_in
def copy(ref: str) -> Response:
    """Use as template: a new draft with the same texts."""
    earlier, me = permissions.dataset_or_404(ref, "edit"), permissions.account()
    with db.transaction():
        draft = datasets.copied(earlier, actor=me, since=clock.now() - TWICE) or datasets.copy(earlier, actor=me)
    flash("The new draft has the texts of the earlier dataset, without its bytes, MD5s and dates.", "ok")
    return htmx.go_to(address(draft))


@bp.get("/deposit/<ref>")
@permissions.signed_in
def edit_page(ref: str) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    return render_template("datasets/form/form.html", **form_page.context(dataset))


@bp.post("/deposit/<ref>")
@permissions.signed_in
def save(ref: str) -> Response:
    dataset = permissions.dataset_or_404(ref, "edit")
    values, rows = form_fields.info(), form_fields.rows()
    if "more" in request.form or "back" in request.form:
        more = form_fields.one_more(rows) if "more" in request.form else rows
        return htmx.fragment("datasets/form/form.html", **form_page.context(dataset, values=values, rows=more))
    if _opens_early(dataset, values, rows):
        return asking.date(dataset, values, changes=bool(_others(dataset, values) or form_fields.filled(rows)))
    title = "This is not saved yet."
    try:
        with db.transaction():
            form_fields.apply(dataset, values, form_fields.filled(rows), actor=permissions.account())
        rows, title = {}, "This is saved, but not submitted yet."
        return _go_on(dataset, request.form.get("then", ""))
    except errors.DomainError as error:
        return form_page.refused(dataset, error, values=values, rows=rows, title=title)


def _opens_early(dataset: Dataset, values: dict[str, Any], rows: form_fields.Rows) -> bool:
    """Whether the form moves the release to a day that has come, and nobody confirmed it. What breaks a rule is told
    first."""
    day = values.get("release_date") or None
    if dataset.state not in (states.SUBMITTED, states.APPROVED) or "release_now" in request.form:
        return False
    if not access.is_owner(dataset, permissions.account()):
        return False
    moved = day != dataset.release_date and datasets.has_come(day)
    return moved and not form_fields.faults(values, form_fields.filled(rows))


def _others(dataset: Dataset, values: dict[str, Any]) -> set[str]:
    """The fields besides the date that the form changes: an approved dataset goes through review again with them."""
    cleaned = datasets.check(values)[0]
    return {field for field, value in cleaned.items() if value != getattr(dataset, field)} - {"release_date"}


def _go_on(dataset: Dataset, then: str) -> Response:
    """After saving: submit, choose files, or stay."""
    if then == "ftp":
        return htmx.go_to(url_for("files.choose_page", ref=ref(dataset)))
    if then == "submit":
        datasets.refuse_incomplete(dataset)
        return htmx.go_to(url_for("datasets.confirm_page", ref=ref(dataset), action="submit"))
    flash("Saved.", "ok")
    return htmx.go_to(address(dataset))


@bp.get("/deposit/<ref>/rows/<int:n>")
@permissions.signed_in
def blank_row(ref: str, n: int) -> Response:
    """One more row of a file to type, for the button 'Add More File'."""
    permissions.dataset_or_404(ref, "edit")
    return htmx.fragment("datasets/form/_new_file.html", ref=ref, n=n, values={}, errors={}, live=True)
