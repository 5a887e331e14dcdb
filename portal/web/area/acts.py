"""One upload: rename, move, copy, delete. What was typed stands again where it cannot be done."""

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain import areas
from portal.domain.uploads import Place
from portal.models import Upload
from portal.web import guards, htmx
from portal.web.area.blueprint import ADVICE, bp, carry, home


@bp.get("/<int:upload_id>")
@guards.signed_in
def show(upload_id: int) -> str:
    upload = areas.own(upload_id, actor=guards.account())
    return render_template("area/upload.html", **context(upload), values={"name": path_of(upload)}, wrong={})


def path_of(upload: Upload) -> str:
    return areas.path_of(Place(upload.area, upload.realm, upload.name))


def context(upload: Upload) -> dict:
    return {"upload": upload, "path": path_of(upload)}


@bp.post('/<int:upload_id>/<any("rename", "copy"):verb>')
@guards.signed_in
def rename(upload_id: int, verb: str) -> Response:
    """Another name for the same bytes, or a second one; a path from the root goes into another area."""
    name = request.form.get("name", "").strip()
    upload = areas.own(upload_id, actor=guards.account())
    old = Place(upload.area, upload.realm, upload.name)
    try:
        carry(verb, old, areas.target(old, name))
    except ADVICE as error:
        return refused(upload_id, error, name)
    flash(f"It is called {name} now." if verb == "rename" else f"{name} is a copy of it.", "ok")
    return htmx.go_to(home())


def refused(upload_id: int, error: errors.DomainError, name: str) -> Response:
    upload = areas.own(upload_id, actor=guards.account())
    status = error.status if error.status in (409, 422) else 422
    return htmx.fragment(
        "area/upload.html", status, **context(upload), values={"name": name}, wrong={"name": error.sentence}
    )


@bp.post("/<int:upload_id>/delete")
@guards.signed_in
def delete(upload_id: int) -> Response:
    me = guards.account()
    with db.transaction():
        upload = areas.own(upload_id, actor=me)
        areas.drop(upload, actor=me)
        name = upload.name
    flash(f"{name} is deleted.", "ok")
    return htmx.go_to(home())
