"""An md5sum list pasted or dropped: what it means for the files of a dataset is shown first, and applied then."""

from typing import Any

from flask import Response, flash, render_template, request

from portal import db, errors
from portal.domain.files import md5_lists
from portal.messages import say
from portal.models import Dataset
from portal.web import forms, htmx, permissions
from portal.web.datasets.blueprint import address
from portal.web.files.blueprint import bp

SHOWN = 200


@bp.get("/deposit/<ref>/digests")
@permissions.signed_in
def digests_page(ref: str) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    return render_template("files/bulk/md5_lists.html", **_context(dataset, None), values={"digests": ""}, errors={})


def _context(dataset: Dataset, comparison: md5_lists.Comparison | None) -> dict[str, Any]:
    return {"dataset": dataset, "found": comparison, "shown": SHOWN, "back": address(dataset, "files")}


@bp.post("/deposit/<ref>/digests")
@permissions.signed_in
def read_digests(ref: str) -> Response:
    """Without a button: what the list means. `apply` declares the MD5s, `add` also the names that are new."""
    dataset, text = permissions.dataset_or_404(ref, "edit"), pasted()
    values = {"digests": text}
    if not text.strip():
        error = errors.Invalid(fields={"digests": say("list_missing", "Paste a list or choose its file.")})
        return forms.refused("files/bulk/md5_lists.html", error, **_context(dataset, None), values=values)
    try:
        if "apply" not in request.form and "add" not in request.form:
            comparison = md5_lists.compare(dataset, text)
            return htmx.fragment("files/bulk/md5_lists.html", **_context(dataset, comparison), values=values, errors={})
        with db.transaction():
            comparison = md5_lists.apply(dataset, text, actor=permissions.account(), add="add" in request.form)
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        return forms.refused("files/bulk/md5_lists.html", error, **_context(dataset, None), values=values)
    added = len({entry.name for entry in comparison.extra}) if "add" in request.form else 0
    flash(f"{len(comparison.changed):,} MD5s are declared, {added:,} files are added.", "ok")
    return htmx.go_to(address(dataset, "files"))


def pasted() -> str:
    """The text of the field, or of the chosen file."""
    text = request.form.get("digests", "")
    chosen = request.files.get("list")
    if not text.strip() and chosen is not None:
        text = chosen.read().decode("utf-8", "replace")
    return text
