"""The page that asks for a larger quota for one's center; a curator decides."""

from typing import Any

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


def context() -> dict[str, Any]:
    """The quotas of my center, and its unanswered request, for the page."""
    me = permissions.account()
    return {"row": centers.row(me.center), "quota_request": quota_requests.open_request(me.center_id)}


@bp.get("")
@permissions.signed_in
def ask_page() -> str:
    return render_template("accounts/quota_requests.html", values={}, errors={}, **context())


@bp.post("")
@permissions.signed_in
def ask() -> Response:
    typed = forms.values("note")
    try:
        with db.transaction():
            quota_requests.ask(request.form.get("note", ""), actor=permissions.account())
    except (errors.Invalid, errors.Throttled) as error:
        return forms.refused("accounts/quota_requests.html", error, values=typed, **context())
    flash("The curators were asked. You get a mail when the quota is changed.", "ok")
    return see_other(url_for("quota_requests.ask_page"))
