"""A folder with all that lies in it: renamed, moved, copied or deleted."""

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place
from portal.web import htmx, permissions
from portal.web.uploads.blueprint import ADVICE, bp, carry, flash_count, home


@bp.get("/folder")
@permissions.signed_in
def folder() -> str:
    place = place_of(request.args.get("path", ""))
    path = folders.path_of(place)
    return render_template("uploads/folder.html", path=path, values={"name": path}, wrong={}, count=number(place))


def place_of(path: str) -> Place:
    place = folders.named(path)
    if not place.name:
        raise errors.NotFound(folders.FOLDER_ALWAYS_HERE)
    return place


def number(place: Place) -> int:
    return len(folders.at_or_below(permissions.account(), place))


@bp.post('/folder/<any("rename", "copy"):verb>')
@permissions.signed_in
def change_folder(verb: str) -> Response:
    old, name = place_of(request.form.get("path", "")), request.form.get("name", "").strip().rstrip("/")
    try:
        count = carry(verb, old, folders.target(old, name))
    except ADVICE as error:
        if isinstance(error, errors.NotFound):
            raise
        status = error.status if error.status in (409, 422) else 422
        return htmx.fragment(
            "uploads/folder.html",
            status,
            path=folders.path_of(old),
            values={"name": name},
            wrong={"name": error.sentence},
            count=number(old),
        )
    flash_count(count, f"{'moved' if verb == 'rename' else 'copied'} to {name}")
    return htmx.go_to(home())


@bp.post("/folder/delete")
@permissions.signed_in
def delete_folder() -> Response:
    place = place_of(request.form.get("path", ""))
    with db.transaction():
        count = folders.remove(permissions.account(), place, folder=True)
    flash(f"{folders.path_of(place)} is deleted, with {count:,} file{'' if count == 1 else 's'}.", "ok")
    return htmx.go_to(home())
