"""One upload as the history names it, and its day of receipt corrected."""

from typing import Any

from flask import Response, flash, render_template, url_for

from portal import clock, config, db, errors
from portal.domain.uploads import receipt_date
from portal.models import Account, Dataset, File, Upload
from portal.web import forms, permissions
from portal.web.admin.blueprint import bp, row_or_404
from portal.web.htmx import see_other


def page(upload: Upload, **shown: object) -> dict[str, Any]:
    query = db.session.query(Dataset, File).join(File, File.dataset_id == Dataset.id)
    claim = query.filter(File.upload_id == upload.id).first()
    came = clock.day_of(upload.received_at or upload.created_at, config.settings().timezone)
    return {
        "upload": upload,
        "dataset": claim[0] if claim else None,
        "file": claim[1] if claim else None,
        "owner": db.session.get(Account, upload.account_id),
        "values": {"received": came.isoformat()},
        **shown,
    }


@bp.get("/uploads/<int:upload_id>")
@permissions.curator_only
def upload(upload_id: int) -> str:
    return render_template("admin/upload.html", errors={}, **page(row_or_404(Upload, upload_id)))


@bp.post("/uploads/<int:upload_id>")
@permissions.curator_only
def correct_upload(upload_id: int) -> Response:
    upload, typed = row_or_404(Upload, upload_id), forms.values("received", "note")
    try:
        with db.transaction():
            receipt_date.correct(upload, typed["received"], note=typed["note"], actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("admin/upload.html", error, **page(upload, values=typed))
    flash("Saved.", "ok")
    return see_other(url_for("admin.upload", upload_id=upload_id))
