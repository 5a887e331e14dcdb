"""Work owed: what failed and why, run again or cancelled."""

from flask import Response, flash, render_template, url_for

from portal import db
from portal.domain import jobs
from portal.models import Job
from portal.queries import operations
from portal.web import formats, guards
from portal.web.admin.blueprint import bp, chosen, row_or_404
from portal.web.htmx import see_other


@bp.get("/jobs")
@guards.curator_only
def jobs_page() -> str:
    state, before = chosen(operations.JOB_STATES)
    rows, older = operations.jobs(state=state, before=before)
    return render_template(
        "admin/jobs.html",
        jobs=rows,
        older=older,
        counts=operations.counts(Job),
        state=state,
        before=before,
        datasets=operations.subjects(rows),
        cancellable=jobs.CANCELLABLE,
    )


@bp.post("/jobs/<int:job_id>/again")
@guards.curator_only
def run_again(job_id: int) -> Response:
    with db.transaction():
        jobs.retry(row_or_404(Job, job_id), actor=guards.account())
    flash(f"Job {job_id} is queued again.", "ok")
    return see_other(url_for("admin.jobs_page"))


@bp.post("/jobs/again")
@guards.curator_only
def run_failed_jobs_again() -> Response:
    with db.transaction():
        count = jobs.retry_all(actor=guards.account())
    flash(f"{formats.plural(count, 'job')} queued again.", "ok")
    return see_other(url_for("admin.jobs_page", state="queued" if count else "failed"))


@bp.post("/jobs/<int:job_id>/cancel")
@guards.curator_only
def cancel_job(job_id: int) -> Response:
    with db.transaction():
        jobs.cancel(row_or_404(Job, job_id), actor=guards.account())
    flash(f"Job {job_id} is cancelled.", "ok")
    return see_other(url_for("admin.jobs_page"))
