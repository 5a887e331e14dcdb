"""The centers: what each uses of its quotas; made, renamed, given other quotas."""

from typing import Any

from flask import Response, flash, render_template, url_for

from portal import config, db, errors
from portal.domain.accounts import centers as verbs
from portal.domain.accounts import quota_requests
from portal.models import Account, Center
from portal.queries.accounts import centers
from portal.web import forms, permissions
from portal.web.admin.blueprint import bp, filters, row_or_404
from portal.web.htmx import see_other

QUOTAS = tuple(f"quota_{realm}" for realm in verbs.REALMS)


@bp.get("/centers")
@permissions.curator_only
def centers_page() -> str:
    return render_template("admin/centers.html", errors={}, **listing())


def listing(**shown: object) -> dict[str, Any]:
    chosen = filters("text")
    page = centers.page(text=chosen.get("text", ""), **filters("after", "before"))
    return {"page": page, "filters": chosen, "values": {}, **shown}


@bp.post("/centers")
@permissions.curator_only
def make_center() -> Response:
    typed = forms.values("center")
    try:
        with db.transaction():
            center = verbs.create(typed["center"], actor=permissions.account())
    except errors.Invalid as error:
        return forms.refused("admin/centers.html", error, **listing(values=typed))
    return done(center, f"{center.name} is made.")


def done(center: Center, sentence: str) -> Response:
    flash(sentence, "ok")
    return see_other(url_for("admin.center", center_id=center.id))


@bp.get("/centers/<int:center_id>")
@permissions.curator_only
def center(center_id: int) -> str:
    return render_template("admin/center.html", errors={}, **page(row_or_404(Center, center_id)))


def page(center: Center, **shown: object) -> dict[str, Any]:
    values = {"center": center.name} | {name: verbs.in_gb(getattr(center, name)) for name in QUOTAS}
    quota_request = quota_requests.open_request(center.id)
    asker = db.session.get(Account, quota_request.actor_id) if quota_request else None
    return {
        "row": centers.row(center),
        "quota_request": quota_request,
        "asker": asker,
        "values": values,
        "site_quota": config.settings().quota_gib << 30,
        **shown,
    }


@bp.post("/centers/<int:center_id>")
@permissions.curator_only
def change_center(center_id: int) -> Response:
    """Set the name and the quotas of a center."""
    center, typed = row_or_404(Center, center_id), forms.values("center", *QUOTAS)
    try:
        quota = verbs.typed_quotas({realm: typed[f"quota_{realm}"] for realm in verbs.REALMS})
        with db.transaction():
            quota_requests.change(center, name=typed["center"], quota=quota, actor=permissions.account())
    except errors.Invalid as error:
        return forms.refused("admin/center.html", error, **page(center, values=typed))
    return done(center, "Saved.")
