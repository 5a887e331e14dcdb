"""The outbox: every mail that the portal wrote, a test mail, and sending one again."""

from flask import Response, render_template, url_for

from portal import config, db
from portal.domain.shared import notifications
from portal.models import Mail
from portal.queries.admin import operations
from portal.web import permissions
from portal.web.admin.blueprint import bp, chosen, row_or_404
from portal.web.htmx import see_other


@bp.get("/outbox")
@permissions.curator_only
def outbox() -> str:
    state, before = chosen(operations.MAIL_STATES)
    rows, older = operations.mails(state=state, before=before)
    server = config.settings().mail_url.rpartition("@")[2]  # never the password
    context = {"mails": rows, "older": older, "state": state, "before": before, "counts": operations.counts(Mail)}
    return render_template("admin/outbox.html", mail_url=server, **context)


@bp.get("/outbox/<int:mail_id>")
@permissions.curator_only
def mail(mail_id: int) -> str:
    mail = row_or_404(Mail, mail_id)
    return render_template("admin/mail.html", mail=mail, body=mail.body if operations.shows_body(mail) else None)


@bp.post("/outbox/test")
@permissions.curator_only
def send_test() -> Response:
    with db.transaction():
        mail = notifications.send_test(permissions.account())
    return see_other(url_for("admin.mail", mail_id=mail.id))


@bp.post("/outbox/<int:mail_id>/again")
@permissions.curator_only
def send_again(mail_id: int) -> Response:
    with db.transaction():
        notifications.send_again(row_or_404(Mail, mail_id), actor=permissions.account())
    return see_other(url_for("admin.mail", mail_id=mail_id))


@bp.post("/outbox/<int:mail_id>/stop")
@permissions.curator_only
def stop_mail(mail_id: int) -> Response:
    with db.transaction():
        notifications.drop(row_or_404(Mail, mail_id), actor=permissions.account())
    return see_other(url_for("admin.mail", mail_id=mail_id))
