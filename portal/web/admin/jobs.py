"""The job queue as a page: what failed and why; run again or cancelled."""

from flask import Response, flash, render_template, url_for

from portal import db
from portal.domain.shared import job_queue
from portal.models import Job
from portal.queries.admin import operations
from portal.web import formats, permissions
from portal.web.admin.blueprint import bp, chosen, row_or_404
from portal.web.htmx import see_other


@bp.get("/jobs")
@permissions.curator_only
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
        cancellable=job_queue.CANCELLABLE,
    )


@bp.post("/jobs/<int:job_id>/again")
@permissions.curator_only
def run_again(job_id: int) -> Response:
    with db.transaction():
        job_queue.retry(row_or_404(Job, job_id), actor=permissions.account())
    flash(f"Job {job_id} is queued again.", "ok")
    return see_other(url_for("admin.jobs_page"))


@bp.post("/jobs/again")
@permissions.curator_only
def run_failed_jobs_again() -> Response:
    with db.transaction():
        count = job_queue.retry_all(actor=permissions.account())
    flash(f"{formats.plural(count, 'job')} queued again.", "ok")
    return see_other(url_for("admin.jobs_page", state="queued" if count else "failed"))


@bp.post("/jobs/<int:job_id>/cancel")
@permissions.curator_only
def cancel_job(job_id: int) -> Response:
    with db.transaction():
        job_queue.cancel(row_or_404(Job, job_id), actor=permissions.account())
    flash(f"Job {job_id} is cancelled.", "ok")
    return see_other(url_for("admin.jobs_page"))
