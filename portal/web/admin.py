"""The operator's pages, for curators: the outbox and the jobs."""

from flask import Blueprint, Response, flash, render_template, request, url_for

from portal import config, db, errors
from portal.domain import jobs, notices
from portal.models import Job, Mail
from portal.queries import operations
from portal.web import guards
from portal.web.htmx import see_other

bp = Blueprint("admin", __name__, url_prefix="/admin")


def chosen(allowed: tuple[str, ...]) -> tuple[str, int]:
    """The filter of a list: a state, and the id to go on before."""
    state = request.args.get("state", "")
    return state if state in allowed else "", request.args.get("before", 0, type=int)


def row_or_404(model, row_id: int):
    row = db.session.get(model, row_id)
    if row is None:
        raise errors.NotFound("There is nothing of this number.")
    return row


@bp.get("")
@guards.curator_only
def overview() -> str:
    return render_template("admin/overview.html", mails=operations.counts(Mail), jobs=operations.counts(Job))


@bp.get("/outbox")
@guards.curator_only
def outbox() -> str:
    state, before = chosen(operations.MAIL_STATES)
    rows, older = operations.mails(state=state, before=before)
    server = config.settings().mail_url.rpartition("@")[2]  # never the password
    context = {"mails": rows, "older": older, "state": state, "before": before, "counts": operations.counts(Mail)}
    return render_template("admin/outbox.html", mail_url=server, **context)


@bp.get("/outbox/<int:mail_id>")
@guards.curator_only
def mail(mail_id: int) -> str:
    found = row_or_404(Mail, mail_id)
    return render_template("admin/mail.html", mail=found, body=found.body if operations.shows_body(found) else None)


@bp.post("/outbox/test")
@guards.curator_only
def send_test() -> Response:
    with db.transaction():
        mail = notices.send_test(guards.account())
    return see_other(url_for("admin.mail", mail_id=mail.id))


@bp.post("/outbox/<int:mail_id>/again")
@guards.curator_only
def send_again(mail_id: int) -> Response:
    with db.transaction():
        notices.send_again(row_or_404(Mail, mail_id))
    return see_other(url_for("admin.mail", mail_id=mail_id))


@bp.get("/jobs")
@guards.curator_only
def jobs_page() -> str:
    state, before = chosen(operations.JOB_STATES)
    rows, older = operations.jobs(state=state, before=before)
    return render_template(
        "admin/jobs.html", jobs=rows, older=older, counts=operations.counts(Job), state=state, before=before
    )


@bp.post("/jobs/<int:job_id>/again")
@guards.curator_only
def run_again(job_id: int) -> Response:
    with db.transaction():
        jobs.retry(row_or_404(Job, job_id))
    flash(f"Job {job_id} is queued again.", "ok")
    return see_other(url_for("admin.jobs_page"))
