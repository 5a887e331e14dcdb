"""'Add or Replace File': other bytes take the place of a file, and what is said of it is kept."""

from typing import Any

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response

from portal import db, errors, states
from portal.domain.files import files
from portal.domain.uploads import dataset_files, folders, replacements
from portal.models import Dataset, File
from portal.queries.uploads import uploads
from portal.web import forms, htmx, permissions
from portal.web.datasets.blueprint import address, ref
from portal.web.files.blueprint import bp

SHOWN = 50


@bp.get("/deposit/<ref>/files/<int:n>/replace")
@permissions.signed_in
def replace_page(ref: str, n: int) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    file = files.by_number(dataset, n)
    return render_template("files/replace.html", values={"name": file.name}, errors={}, **_context(dataset, file))


def _context(dataset: Dataset, file: File) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "file": file,
        "editable": dataset.state in states.OPEN_DATASETS,
        "successor": replacements.successor(file),
        "arrived": uploads.choice(dataset, permissions.account()).rows[:SHOWN],
        "back": address(dataset, f"file-{file.n}"),
    }


@bp.post("/deposit/<ref>/files/<int:n>/replace")
@permissions.signed_in
def replace(ref: str, n: int) -> Response:
    """`chosen` is the number of an upload that is here already, `name` one that is still to come."""
    dataset, values = permissions.dataset_or_404(ref, "edit"), forms.values("name", "declared_md5", "chosen")
    try:
        with db.transaction():
            file = files.by_number(dataset, n)
            me, md5 = permissions.account(), values["declared_md5"]
            if values["chosen"].isdecimal() and len(values["chosen"]) < 18:
                upload = folders.own(int(values["chosen"]), actor=me)
                new = dataset_files.replace_with(file, upload, md5=md5, actor=me)
            else:
                new = replacements.replace(file, name=values["name"], md5=md5, actor=me)
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        file = files.by_number(dataset, n)
        return forms.refused("files/replace.html", error, values=values, **_context(dataset, file))
    return _go_on(dataset, n, new)


def _go_on(dataset: Dataset, n: int, new: File) -> Response:
    """To the table when the bytes are here, else to where one sends them."""
    if new.n != n:
        flash(f"File -{new.n:02d} takes the place of -{n:02d} once it is archived. Until then -{n:02d} stays.", "ok")
    if new.state == states.WAITING:
        return htmx.go_to(url_for("files.online_page", ref=ref(dataset)) + f"?for={new.n}")
    return htmx.go_to(address(dataset, f"file-{new.n}"))
