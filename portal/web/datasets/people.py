"""The people of a dataset: its owner, whom they invited to edit it with them, and what one is invited to oneself."""

from typing import Any

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.accounts import editors
from portal.domain.permissions import access
from portal.models import Dataset
from portal.web import forms, htmx, permissions
from portal.web.datasets.blueprint import bp, ref


@bp.get("/deposit/<ref>/people")
@permissions.signed_in
def people_page(ref: str) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    return render_template("datasets/people.html", **_context(dataset), values={}, errors={})


def _context(dataset: Dataset) -> dict[str, Any]:
    me = permissions.account()
    return {
        "dataset": dataset,
        "editors": editors.of(dataset),
        "is_owner": access.is_owner(dataset, me),
        "me": me,
        "back": url_for("datasets.edit_page", ref=ref(dataset)),
    }


@bp.post("/deposit/<ref>/people")
@permissions.signed_in
def invite(ref: str) -> Response:
    dataset, values = permissions.dataset_or_404(ref, "edit"), forms.values("email")
    try:
        with db.transaction():
            editor = editors.invite(dataset, values["email"], actor=permissions.account())
            email = editor.email
    except (errors.Invalid, errors.Conflict, errors.Throttled) as error:
        return forms.refused("datasets/people.html", error, **_context(dataset), values=values)
    flash(f"{email} is invited.", "ok")
    return htmx.go_to(url_for("datasets.people_page", ref=ref))


@bp.post("/deposit/<ref>/people/<int:editor_id>/remove")
@permissions.signed_in
def remove_editor(ref: str, editor_id: int) -> Response:
    """Somebody taken off by the owner, or leaving by themselves."""
    dataset, me = permissions.dataset_or_404(ref, "edit"), permissions.account()
    is_owner = access.is_owner(dataset, me)
    with db.transaction():
        email = editors.remove(dataset, editor_id, actor=me).email
    if is_owner:
        flash(f"{email} no longer edits this dataset.", "ok")
        return htmx.go_to(url_for("datasets.people_page", ref=ref))
    flash("You no longer edit this dataset.", "ok")
    return htmx.go_to(url_for("datasets.listing"))


@bp.post('/deposit/invitations/<int:editor_id>/<any("accept", "decline"):verb>')
@permissions.signed_in
def answer_invitation(editor_id: int, verb: str) -> Response:
    me = permissions.account()
    with db.transaction():
        dataset = editors.answer(editor_id, accept=verb == "accept", actor=me)
        named = ref(dataset)
    if verb == "decline":
        flash("The invitation is declined.", "ok")
        return htmx.go_to(url_for("datasets.listing"))
    flash("You edit this dataset now.", "ok")
    return htmx.go_to(url_for("datasets.edit_page", ref=named))
