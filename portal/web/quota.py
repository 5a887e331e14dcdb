"""More room for one's center: asked for on a page, decided by a curator."""

from flask import Blueprint, Response, flash, g, render_template, request, url_for

from portal import db, errors
from portal.domain import room
from portal.queries import centers
from portal.web import forms, guards
from portal.web.htmx import see_other

bp = Blueprint("quota", __name__, url_prefix="/area/quota")


@bp.before_request
def place() -> None:
    g.area = "area"


def standing() -> dict:
    me = guards.account()
    return {"row": centers.row(me.center), "asked": room.open_ask(me.center_id)}


@bp.get("")
@guards.signed_in
def ask_page() -> str:
    return render_template("area/quota.html", values={}, errors={}, **standing())


@bp.post("")
@guards.signed_in
def ask() -> Response:
    typed = forms.values("note")
    try:
        with db.transaction():
            room.ask(request.form.get("note", ""), actor=guards.account())
    except (errors.Invalid, errors.Throttled) as error:
        return forms.refused("area/quota.html", error, values=typed, **standing())
    flash("The curators were asked. You get a mail when the quota is changed.", "ok")
    return see_other(url_for("quota.ask_page"))
