"""The files of a dataset: the live table, one file's own page, its MD5 mended in place, deleted."""

from typing import Any

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from portal import db, errors, states
from portal.domain.files import bulk_edit, files
from portal.domain.uploads import dataset_files, folders
from portal.messages import say
from portal.models import Dataset, File
from portal.queries.datasets import revision
from portal.queries.files import files as shown
from portal.queries.review import review
from portal.web import forms, htmx, permissions
from portal.web.datasets import form_page
from portal.web.datasets.blueprint import address
from portal.web.files.blueprint import bp


@bp.get("/deposit/<ref>/files")
@permissions.signed_in
def file_list(ref: str) -> Response:
    """The table that asks for itself again; 204 when nothing has changed."""
    dataset = permissions.dataset_or_404(ref, "edit")
    if not htmx.is_htmx():
        return htmx.go_to(address(dataset, "files"))
    if request.args.get("rev") == revision.of_dataset(dataset):
        return htmx.unchanged()
    return htmx.fragment("datasets/_live.html", **form_page.live(dataset))


@bp.get("/deposit/<ref>/files/<int:n>")
@permissions.signed_in
def file_page(ref: str, n: int) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    file = files.by_number(dataset, n)
    values = {field: getattr(file, field) for field in files.EDITABLE_FIELDS}
    return render_template("files/file.html", values=values, errors={}, **_context(dataset, file))


def _context(dataset: Dataset, file: File) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "row": shown.rows_of([file], dataset)[0],
        "editable": dataset.state in states.OPEN_DATASETS,
        "events": review.history(dataset, file_id=file.id),
        "back": address(dataset, f"file-{file.n}"),
    }


@bp.post("/deposit/<ref>/files/<int:n>")
@permissions.signed_in
def edit_file(ref: str, n: int) -> Response:
    dataset, values = permissions.dataset_or_404(ref, "edit"), forms.values(*files.EDITABLE_FIELDS)
    try:
        with db.transaction():
            file = files.by_number(dataset, n)
            files.edit(file, values | {"md5": values["declared_md5"]}, actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        context = _context(dataset, files.by_number(dataset, n))
        return forms.refused("files/file.html", error, values=values, **context)
    flash(f"File -{n:02d} is saved.", "ok")
    return htmx.go_to(address(dataset, f"file-{n}"))


@bp.post("/deposit/<ref>/files/<int:n>/use")
@permissions.signed_in
def use(ref: str, n: int) -> Response:
    """Take an upload of the area that came under the file's name."""
    dataset, me = permissions.dataset_or_404(ref, "edit"), permissions.account()
    with db.transaction():
        upload = folders.own(request.form.get("upload", type=int) or 0, actor=me)
        file = dataset_files.use(files.by_number(dataset, n), upload, actor=me)
        number, upload_id = file.n, upload.id
    flash(f"File -{number:02d} has upload {upload_id} now.", "ok")
    return htmx.go_to(address(dataset, f"file-{number}"))


@bp.post("/deposit/<ref>/files/<int:n>/md5")
@permissions.signed_in
def compare(ref: str, n: int) -> Response:
    """'Compare again': the mended MD5 is compared at once with the digest of what arrived."""
    dataset, value = permissions.dataset_or_404(ref, "edit"), request.form.get("declared_md5", "")
    try:
        if not value.strip():
            raise errors.Invalid(say("md5_empty", "Type the MD5 of your file; it has 32 characters."))
        with db.transaction():
            file = files.edit(files.by_number(dataset, n), {"md5": value}, actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        return form_page.files_refused(dataset, n, value, error)
    if htmx.is_htmx():
        return htmx.fragment("datasets/_live.html", **form_page.live(dataset))
    equal = file.error != "md5_mismatch"
    flash(f"File -{n:02d}: {'the MD5s are equal' if equal else 'the MD5 still differs'}.", "ok" if equal else "warn")
    return htmx.go_to(address(dataset, f"file-{n}"))


@bp.get("/deposit/<ref>/files/<int:n>/delete")
@permissions.signed_in
def delete_page(ref: str, n: int) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    file = files.by_number(dataset, n)
    return render_template("files/delete.html", dataset=dataset, file=file, back=address(dataset, f"file-{n}"))


@bp.post("/deposit/<ref>/files/<int:n>/delete")
@permissions.signed_in
def delete(ref: str, n: int) -> Response:
    dataset = permissions.dataset_or_404(ref, "edit")
    with db.transaction():
        file = files.by_number(dataset, n)
        name = file.name
        bulk_edit.remove(dataset, [file.id], actor=permissions.account())
    flash(f"File -{n:02d}, {name}, is deleted from the dataset. Its number is not used again.", "ok")
    return htmx.go_to(address(dataset, "files"))
