"""More room for one's center: asked for on a page, decided by a curator."""

from flask import Blueprint, Response, flash, g, render_template, request, url_for

from portal import db, errors
from portal.domain.accounts import quota_requests
from portal.queries.accounts import centers
from portal.web import forms, permissions
from portal.web.htmx import see_other

bp = Blueprint("quota_requests", __name__, url_prefix="/area/quota")


@bp.before_request
def place() -> None:
    g.area = "uploads"


def standing() -> dict:
    me = permissions.account()
    return {"row": centers.row(me.center), "asked": quota_requests.open_request(me.center_id)}


@bp.get("")
@permissions.signed_in
def ask_page() -> str:
    return render_template("accounts/quota_requests.html", values={}, errors={}, **standing())


@bp.post("")
@permissions.signed_in
def ask() -> Response:
    typed = forms.values("note")
    try:
        with db.transaction():
            quota_requests.ask(request.form.get("note", ""), actor=permissions.account())
    except (errors.Invalid, errors.Throttled) as error:
        return forms.refused("accounts/quota_requests.html", error, values=typed, **standing())
    flash("The curators were asked. You get a mail when the quota is changed.", "ok")
    return see_other(url_for("quota_requests.ask_page"))
