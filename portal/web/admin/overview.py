"""The operator's overview: what needs attention, and where to go."""

from flask import render_template

from portal.models import Job, Mail
from portal.queries.accounts import centers, people
from portal.queries.admin import operations
from portal.web import permissions
from portal.web.admin.blueprint import bp


@bp.get("")
@permissions.curator_only
def overview() -> str:
    return render_template(
        "admin/overview.html",
        mails=operations.counts(Mail),
        jobs=operations.counts(Job),
        people=people.counts(),
        short=centers.short(),
        asking=centers.asking(),
    )
