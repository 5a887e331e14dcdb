"""The batch reports of one's center, to download; the same files that lie in /outgoing/Files/ by FTP."""

from flask import Response, render_template, request, send_file
from sqlalchemy import select

from portal import db, errors
from portal.config import settings
from portal.domain.reports import current
from portal.models import Center
from portal.queries.reports import reports
from portal.queries.tracking import submissions
from portal.web import permissions
from portal.web.tracking.blueprint import bp

WORDS = {
    "metadata": "Metadata",
    "files": "Files",
    "usage": "Usage, open realm",
    "usage_protected": "Usage, protected realm",
    "accessions": "Accessions",
}
CHOICE = 200  # of more centers than that, the name is typed


def center() -> Center:
    return reports.center_for(permissions.account(), request.args.get("center", ""))


@bp.get("/reports", endpoint="reports")
@permissions.signed_in
def listing() -> str:
    me, chosen = permissions.account(), center()
    names = list(db.session.scalars(select(Center.name).order_by(Center.name).limit(CHOICE + 1)))
    return render_template(
        "tracking/reports.html",
        center=chosen,
        centers=names if me.is_curator else [],
        most=CHOICE,
        words=WORDS,
        **reports.page(chosen.id, request.args.get("before", 0, type=int)),
        tabs=submissions.tabs(me),
        tab="reports",
        hour=settings().report_hour,
        chosen_center={"center": chosen.name} if chosen.id != me.center_id else {},
    )


@bp.get("/reports/<int:report_id>/<name>", endpoint="report")
@permissions.signed_in
def download(report_id: int, name: str) -> Response:
    chosen = center()
    report = next(
        (written for written in reports.written(chosen.id) if written.id == report_id and written.name == name), None
    )
    path = settings().instance / report.path if report else None
    if path is None or not path.is_file():
        raise errors.NotFound(reports.NO_SUCH_REPORT)
    return send_file(
        path,
        as_attachment=path.suffix == ".gz",
        download_name=name,
        conditional=True,
        max_age=0,
        mimetype="text/plain" if path.suffix == ".txt" else "application/gzip",
    )


@bp.get('/reports/now/<any("accessions", "files"):kind>.tsv', endpoint="report_now")
@permissions.signed_in
def now(kind: str) -> Response:
    """As it stands now; nobody waits for the night."""
    answer = Response(current.text(kind, center()), mimetype="text/tab-separated-values")
    answer.headers["Content-Disposition"] = f'attachment; filename="{settings().prefix}_{kind.capitalize()}.tsv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
