"""The file table as a spreadsheet: taken home as TSV or XLSX, pasted or sent back, shown before it is applied."""

import base64
from typing import Any

from flask import Response, flash, render_template, request

from portal import db, errors
from portal.domain.files import spreadsheet
from portal.messages import say
from portal.models import Dataset
from portal.web import forms, htmx, permissions
from portal.web.datasets.blueprint import address
from portal.web.datasets.blueprint import ref as ref_of
from portal.web.files.blueprint import bp

SHOWN = 200
KINDS = {"tsv": "text/tab-separated-values", "xlsx": spreadsheet.XLSX}


@bp.get('/deposit/<ref>/files.<any("tsv", "xlsx"):kind>')
@permissions.signed_in
def export(ref: str, kind: str) -> Response:
    dataset = permissions.dataset_or_404(ref, "edit")
    body = spreadsheet.as_tsv(dataset) if kind == "tsv" else spreadsheet.as_xlsx(dataset)
    answer = Response(body, mimetype=KINDS[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{ref_of(dataset)}-files.{kind}"'
    return answer


@bp.get("/deposit/<ref>/sheet")
@permissions.signed_in
def sheet_page(ref: str) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    return render_template("files/bulk/spreadsheet.html", **_context(dataset, None), values={}, errors={})


def _context(dataset: Dataset, comparison: spreadsheet.Comparison | None) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "found": comparison,
        "shown": SHOWN,
        "labels": spreadsheet.COLUMNS,
        "back": address(dataset, "files"),
    }


@bp.post("/deposit/<ref>/sheet")
@permissions.signed_in
def read_sheet(ref: str) -> Response:
    """First what it means; `apply` changes the files, `add` also declares the names that are new."""
    dataset = permissions.dataset_or_404(ref, "edit")
    given, values = sent()
    try:
        if not given:
            raise errors.Invalid(fields={"sheet": say("sheet_missing", "Paste rows or choose a file.")})
        if "apply" not in request.form and "add" not in request.form:
            comparison = spreadsheet.compare(dataset, given)
            return htmx.fragment(
                "files/bulk/spreadsheet.html", **_context(dataset, comparison), values=values, errors={}
            )
        with db.transaction():
            comparison = spreadsheet.apply(dataset, given, actor=permissions.account(), add="add" in request.form)
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        return forms.refused("files/bulk/spreadsheet.html", error, **_context(dataset, None), values=values)
    added = len(comparison.added) if "add" in request.form else 0
    flash(f"{len(comparison.changed):,} files are changed, {added:,} added.", "ok")
    return htmx.go_to(address(dataset, "files"))


def sent() -> tuple[str | bytes, dict[str, str]]:
    """What was pasted or chosen; a chosen sheet comes back with the page, so that it need not be chosen twice."""
    text, chosen = request.form.get("sheet", ""), request.files.get("file")
    if chosen is not None and chosen.filename:
        body = chosen.read()
        return body, {"sheet": "", "carried": base64.b64encode(body).decode()}
    carried = request.form.get("carried", "")
    if carried and not text.strip():
        try:
            return base64.b64decode(carried, validate=True), {"sheet": "", "carried": carried}
        except ValueError:
            return "", {"sheet": ""}
    return text, {"sheet": text}
