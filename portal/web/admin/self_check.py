"""The self-check as a page: everything is looked at anew each time it is opened."""

from flask import render_template

from portal.maintenance import self_check
from portal.web import permissions
from portal.web.admin.blueprint import bp


@bp.get("/check")
@permissions.curator_only
def check_page() -> str:
    findings = self_check.run()
    return render_template("admin/self_check.html", parts=findings, worst=self_check.worst(findings))
