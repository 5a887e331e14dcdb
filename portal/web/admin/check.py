"""The self-check as a page: everything is looked at anew each time it is opened."""

from flask import render_template

from portal import health
from portal.web import guards
from portal.web.admin.blueprint import bp


@bp.get("/check")
@guards.curator_only
def check_page() -> str:
    found = health.run()
    return render_template("admin/check.html", found=found, worst=health.worst(found))
