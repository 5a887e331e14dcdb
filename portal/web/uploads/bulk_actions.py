"""Several uploads at once: ticked in the table, shown with the question where to, then moved, copied or deleted."""

from flask import render_template, request
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.uploads import folders
from portal.models import Upload
from portal.web import htmx, permissions
from portal.web.uploads.blueprint import ADVICE, bp, carry, flash_count, home

DONE = {"move": "moved", "copy": "copied", "delete": "deleted"}
MOST = 1000


@bp.post('/chosen/<any("move", "copy", "delete"):verb>')
@permissions.signed_in
def ask(verb: str) -> str | Response:
    """What was ticked, and the question before it is done."""
    rows = ticked()
    if not rows:
        return htmx.go_to(home())
    return render_template("uploads/bulk_actions.html", rows=rows, verb=verb, values={"folder": ""}, wrong={})


@bp.post('/chosen/<any("move", "copy", "delete"):verb>/done')
@permissions.signed_in
def act(verb: str) -> Response:
    rows, folder, count = ticked(), request.form.get("folder", "").strip().rstrip("/"), 0
    ids = [row.id for row in rows]
    try:
        for upload_id in ids:
            _do(verb, folders.own(upload_id, actor=permissions.account()), folder)
            count += 1
    except ADVICE as error:
        if count:
            flash_count(count, f"{DONE[verb]}; then it stopped")
        return refused(verb, error, folder, ids[count:])
    flash_count(count, DONE[verb])
    return htmx.go_to(home())


def _do(verb: str, upload: Upload, folder: str) -> None:
    if verb == "delete":
        upload_id = upload.id
        with db.transaction():
            folders.drop(folders.own(upload_id, actor=permissions.account()), actor=permissions.account())
        return
    old = folders.place_in_box(upload, to_read=verb == "copy")
    carry(verb, old, folders.target(old, f"{folder}/{old.base}" if folder else old.base))


def refused(verb: str, error: errors.DomainError, folder: str, left: list[int]) -> Response:
    """The rest of them again, with what is wrong."""
    rows = [folders.own(upload_id, actor=permissions.account()) for upload_id in left]
    status = error.status if error.status in (409, 422) else 422
    return htmx.fragment(
        "uploads/bulk_actions.html",
        status,
        rows=rows,
        verb=verb,
        values={"folder": folder},
        wrong={"folder": error.sentence},
    )


def ticked() -> list[Upload]:
    """The ticked uploads that are the asker's and still there."""
    me, uploads = permissions.account(), []
    for text in request.form.getlist("id")[:MOST]:
        row = db.session.get(Upload, int(text)) if text.isdecimal() and len(text) < 18 else None
        if row is not None and row.account_id == me.id:
            uploads.append(row)
    return uploads
