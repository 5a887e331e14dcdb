"""The public mirror of the batch reports: metadata and accessions of what is, or was, released. Never the files."""

from flask import Blueprint, Response, render_template, request, send_file

from portal.queries.reports import reports

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.get("")
def mirror() -> str:
    return render_template("reports/public_mirror.html", **reports.page(None, request.args.get("before", 0, type=int)))


@bp.get("/<name>")
def show(name: str) -> Response:
    _, path = reports.stored(None, reports.kind_of(None, name), name=name)
    packed = path.suffix == ".gz"
    return send_file(
        path,
        mimetype="application/gzip" if packed else "text/tab-separated-values",
        conditional=True,
        as_attachment=packed,
        download_name=name,
        max_age=0,
    )
