"""A folder with all that lies in it: renamed, moved, copied or deleted."""

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain import areas
from portal.domain.uploads import Place
from portal.web import guards, htmx
from portal.web.area.blueprint import ADVICE, bp, carry, home, say


@bp.get("/folder")
@guards.signed_in
def folder() -> str:
    place = asked(request.args.get("path", ""))
    path = areas.path_of(place)
    return render_template("area/folder.html", path=path, values={"name": path}, wrong={}, count=number(place))


def asked(path: str) -> Place:
    place = areas.named(path)
    if not place.name:
        raise errors.NotFound("This folder is always here.")
    return place


def number(place: Place) -> int:
    return len(areas.at_or_below(guards.account(), place))


@bp.post('/folder/<any("rename", "copy"):verb>')
@guards.signed_in
def change_folder(verb: str) -> Response:
    old, name = asked(request.form.get("path", "")), request.form.get("name", "").strip().rstrip("/")
    try:
        count = carry(verb, old, areas.target(old, name))
    except ADVICE as error:
        if isinstance(error, errors.NotFound):
            raise
        status = error.status if error.status in (409, 422) else 422
        return htmx.fragment(
            "area/folder.html",
            status,
            path=areas.path_of(old),
            values={"name": name},
            wrong={"name": error.sentence},
            count=number(old),
        )
    say(count, f"{'moved' if verb == 'rename' else 'copied'} to {name}")
    return htmx.go_to(home())


@bp.post("/folder/delete")
@guards.signed_in
def delete_folder() -> Response:
    place = asked(request.form.get("path", ""))
    with db.transaction():
        count = areas.remove(guards.account(), place, folder=True)
    flash(f"{areas.path_of(place)} is deleted, with {count:,} file{'' if count == 1 else 's'}.", "ok")
    return htmx.go_to(home())
