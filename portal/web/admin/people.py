"""The people of the site: found, filtered, invited."""

from flask import Response, render_template

from portal import db, errors
from portal.domain.accounts import admin as verbs
from portal.models import Center
from portal.queries.accounts import people
from portal.web import forms, permissions
from portal.web.admin.blueprint import bp, filters
from portal.web.admin.person import show_link

FILTERS = ("text", "role", "state", "center")


@bp.get("/people")
@permissions.curator_only
def people_page() -> str:
    chosen, place = filters(*FILTERS), filters("after", "before")
    number = chosen.get("center", "")
    center = db.session.get(Center, int(number)) if number.isascii() and number.isdigit() else None
    page = people.page(
        text=chosen.get("text", ""),
        role=chosen.get("role", ""),
        state=chosen.get("state", ""),
        center=center.id if center else None,
        **place,
    )
    return render_template("admin/people/people.html", page=page, filters=chosen, center=center, counts=people.counts())


@bp.get("/people/new")
@permissions.curator_only
def new_person() -> str:
    return render_template(
        "admin/people/new_person.html", values={"role": "submitter"}, errors={}, centers=people.center_names()
    )


@bp.post("/people/new")
@permissions.curator_only
def invite() -> Response | str:
    typed = forms.values("email", "name", "role", "center")
    try:
        with db.transaction():
            account, secret = verbs.invite(**typed, actor=permissions.account())
    except errors.Invalid as error:
        return forms.refused("admin/people/new_person.html", error, values=typed, centers=people.center_names())
    return show_link(account, secret)
