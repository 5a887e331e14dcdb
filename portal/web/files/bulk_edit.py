"""Many files at once: filled in with one value, or deleted; those that are ticked, or all that the filter shows."""

from typing import Any

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.files import bulk_edit, files
from portal.models import Dataset, File
from portal.queries.files import files as shown
from portal.web import formats, forms, htmx, permissions
from portal.web.datasets import form_page
from portal.web.datasets.blueprint import ref
from portal.web.files.blueprint import bp

# Files filled in by one transaction: who writes meanwhile, such as an upload that arrives, waits a fifth of a second.
AT_ONCE = 5000


@bp.post("/deposit/<ref>/files/many")
@permissions.signed_in
def change_many(ref: str) -> Response:
    dataset, form, values = permissions.dataset_or_404(ref, "edit"), request.form, forms.values("field", "value")
    numbers = None if form.get("do") == "fill-all" else form.getlist("n", type=int)
    ids = shown.chosen(dataset, view=form.get("view", ""), text=form.get("shown", ""), numbers=numbers)
    if not ids:
        flash("No file was chosen: tick files in the table first.", "warn")
        return htmx.go_to(_back(dataset))
    if form.get("do") == "delete":
        return _delete(dataset, ids)
    changed = 0
    try:
        for start in range(0, len(ids), AT_ONCE):
            with db.transaction():
                changed += bulk_edit.fill(dataset, ids[start : start + AT_ONCE], **values, actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        return forms.refused("datasets/form/form.html", error, **_again(dataset, values))
    flash(f"{formats.plural(changed, 'file')} changed.", "ok")
    return htmx.go_to(_back(dataset))


def _again(dataset: Dataset, values: dict[str, Any]) -> dict[str, Any]:
    page = form_page.context(dataset, many=values)
    page.pop("errors")
    return page


def _back(dataset: Dataset) -> str:
    form = request.form
    kept = {"view": form.get("view") or None, "text": form.get("shown") or None, "sort": form.get("sort") or None}
    return url_for("datasets.edit_page", ref=ref(dataset), _anchor="files", **kept)  # type: ignore[arg-type]


def _delete(dataset: Dataset, ids: list[int]) -> Response:
    if "sure" not in request.form:
        chosen = db.session.scalars(files.living(dataset).where(File.id.in_(ids))).unique().all()
        return htmx.fragment("files/bulk/delete_many.html", dataset=dataset, chosen=chosen, back=_back(dataset))
    with db.transaction():
        count = bulk_edit.remove(dataset, ids, actor=permissions.account())
    flash(f"{formats.plural(count, 'file')} deleted. Their numbers are not used again.", "ok")
    return htmx.go_to(_back(dataset))
