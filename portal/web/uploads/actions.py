"""One upload: rename, move, copy, delete. What was typed stands again where it cannot be done."""

from typing import Any

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place
from portal.models import Upload
from portal.web import htmx, permissions
from portal.web.uploads.blueprint import ADVICE, bp, carry, home


@bp.get("/<int:upload_id>")
@permissions.signed_in
def show(upload_id: int) -> str:
    upload = folders.own(upload_id, actor=permissions.account())
    return render_template("uploads/upload.html", **context(upload), values={"name": path_of(upload)}, wrong={})


def path_of(upload: Upload) -> str:
    return folders.path_of(Place(upload.area, upload.realm, upload.name))


def context(upload: Upload) -> dict[str, Any]:
    return {"upload": upload, "path": path_of(upload)}


@bp.post('/<int:upload_id>/<any("rename", "copy"):verb>')
@permissions.signed_in
def rename(upload_id: int, verb: str) -> Response:
    """Another name for the same bytes, or a second one; a path from the root goes into another area."""
    name = request.form.get("name", "").strip()
    upload = folders.own(upload_id, actor=permissions.account())
    try:
        old = folders.place_in_box(upload, to_read=verb == "copy")
        carry(verb, old, folders.target(old, name))
    except ADVICE as error:
        return refused(upload_id, error, name)
    flash(f"It is called {name} now." if verb == "rename" else f"{name} is a copy of it.", "ok")
    return htmx.go_to(home())


def refused(upload_id: int, error: errors.DomainError, name: str) -> Response:
    upload = folders.own(upload_id, actor=permissions.account())
    status = error.status if error.status in (409, 422) else 422
    return htmx.fragment(
        "uploads/upload.html", status, **context(upload), values={"name": name}, wrong={"name": error.sentence}
    )


@bp.post("/<int:upload_id>/delete")
@permissions.signed_in
def delete(upload_id: int) -> Response:
    me = permissions.account()
    with db.transaction():
        upload = folders.own(upload_id, actor=me)
        folders.drop(upload, actor=me)
        name = upload.name
    flash(f"{name} is deleted.", "ok")
    return htmx.go_to(home())
