"""My uploads: what arrives, what is here, what nobody claims; rename and delete; the settings of an FTP client."""

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain import areas, quotas, wire
from portal.domain.uploads import Place
from portal.models import Account, Upload
from portal.queries import revision, uploads
from portal.web import addresses, guards, htmx

bp = Blueprint("area", __name__, url_prefix="/area")


@bp.get("")
@guards.signed_in
def listing() -> Response:
    me, asked = guards.account(), request.args
    rev = revision.of_account(me)
    if htmx.is_htmx() and asked.get("rev") == rev:
        return htmx.unchanged()
    page = uploads.area(me, folder=asked.get("folder", ""), view=asked.get("view", ""), after=asked.get("after", ""),
                        before=asked.get("before", ""))  # fmt: skip
    faults = [(fault, wire.explain(fault)) for fault in uploads.wire_faults(me)]
    here = {name: asked[name] for name in ("folder", "view", "after", "before") if asked.get(name)}
    totals = uploads.totals(me)
    return htmx.fragment_or_page("area/_list.html", "area/list.html", page=page, rev=rev, here=here, faults=faults,
                                 totals=totals, folders=uploads.folders(me.id), ftp=addresses.ftp(), used=room(me),
                                 moving="receiving" in totals or "checking" in totals)  # fmt: skip


def room(account: Account) -> list[tuple[str, int, int | None]]:
    """(realm, used, quota) of the account's center."""
    return [(realm, quotas.used(account.center_id, realm), quotas.limit(account.center, realm))
            for realm in ("open", "protected")]  # fmt: skip


@bp.get("/<int:upload_id>")
@guards.signed_in
def show(upload_id: int) -> str:
    upload = areas.own(upload_id, actor=guards.account())
    return render_template("area/upload.html", upload=upload, values={"name": upload.name}, wrong={})


@bp.post("/<int:upload_id>/rename")
@guards.signed_in
def rename(upload_id: int) -> Response:
    """Another name for the same bytes; the typed name stands again when it cannot be taken."""
    me, name = guards.account(), request.form.get("name", "")
    upload = areas.own(upload_id, actor=me)
    try:
        with db.transaction():
            areas.rename(me, Place(upload.area, upload.realm, upload.name), name)
    except (errors.Invalid, errors.Conflict) as error:
        return refused(upload, error, name)
    flash(f"It is called {name} now.", "ok")
    return htmx.go_to(url_for("area.listing"))


def refused(upload: Upload, error: errors.DomainError, name: str) -> Response:
    wrong = {"name": error.sentence}
    return htmx.fragment("area/upload.html", error.status, upload=upload, values={"name": name}, wrong=wrong)


@bp.post("/<int:upload_id>/delete")
@guards.signed_in
def delete(upload_id: int) -> Response:
    me = guards.account()
    with db.transaction():
        upload = areas.own(upload_id, actor=me)
        areas.drop(upload, actor=me)
        name = upload.name
    flash(f"{name} is deleted.", "ok")
    return htmx.go_to(url_for("area.listing"))
