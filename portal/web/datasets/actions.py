"""The actions of the life cycle as forms; those that publish, destroy or need a reason are asked on a page first."""

from typing import Any

from flask import Response, flash, render_template, request, url_for

from portal import db, errors, states
from portal.domain.datasets import actions, datasets, prechecks
from portal.domain.files import files
from portal.domain.shared import changes, transitions
from portal.messages import say
from portal.models import Dataset
from portal.queries.datasets import outcomes
from portal.web import formats, forms, htmx, permissions
from portal.web.datasets import form_page
from portal.web.datasets.blueprint import address, bp, called
from portal.web.session import safe_next

DONE = {
    "submit": "is submitted. A curator looks at it; you get a mail.",
    "recall": "is yours again: go on and submit it anew.",
    "release": "opens as soon as its files are compared once more and its manifests are written.",
    "discard": "is discarded. What you uploaded for it is still in your area.",
    "withdraw": "is withdrawn.",
    "approve": "is approved. Its submitter was told by mail.",
    "return": "is returned. Its submitter was told by mail.",
    "unpublish": "is closed again.",
    "suppress": "is out of search and listings.",
    "reinstate": "is listed again.",
}


CONFIRMATIONS = {
    "create": "begun",
    "edit": "texts changed",
    "edit_file": "file changed",
    "add_files": "files added",
    "remove_file": "file deleted",
    "replace_file": "file replaced",
    "submit": "submitted",
    "recall": "recalled",
    "return": "returned",
    "approve": "approved",
    "ask_release": "release asked for",
    "release": "released",
    "unpublish": "unpublished",
    "suppress": "suppressed",
    "reinstate": "reinstated",
    "withdraw": "withdrawn",
    "publication": "publication recorded",
    "publication.remove": "publication removed",
    "link.make": "sharing link made",
    "link.revoke": "sharing link revoked",
}


def move_of(dataset: Dataset, action: str) -> states.Move:
    """The action, if it is open to the reader now; else the reason why not."""
    me, state = permissions.account(), states.SHOWN_DATASET[dataset.state].word.lower()
    for move in actions.offered(dataset, actor=me):
        if move.action == action:
            return move
    known_move = states.DATASET.find(action)
    if known_move is None:
        raise errors.NotFound(actions.unknown(action))
    if not transitions.roles_of(me, dataset) & set(known_move.by):
        text = "Only {roles} may {action} a dataset."
        raise errors.Forbidden(say("action_not_by", text, roles=" or ".join(known_move.by), action=action))
    raise errors.Conflict(
        say(
            "action_not_from",
            "{dataset} is {state}; {action} starts from {sources}.",
            dataset=called(dataset),
            state=state,
            action=action,
            sources=" or ".join(known_move.sources),
        )
    )


@bp.get("/deposit/<ref>/history")
@permissions.signed_in
def history_page(ref: str) -> str:
    """What changed, by whom, from what to what."""
    dataset, args = permissions.dataset_or_404(ref, "edit"), request.args
    page = changes.history(dataset, after=args.get("after", ""), before=args.get("before", ""))
    return render_template(
        "datasets/history.html",
        dataset=dataset,
        page=page,
        called=called(dataset),
        words=CONFIRMATIONS,
        back=address(dataset),
    )


@bp.get("/deposit/<ref>/actions/<action>")
@permissions.signed_in
def confirm_page(ref: str, action: str) -> str:
    dataset = permissions.dataset_or_404(ref, "edit")
    if action == "submit":
        return render_template(
            "datasets/submit.html",
            **confirming(dataset, action),
            findings=prechecks.of(dataset),
            counts=formats.plural(files.count(dataset), "file"),
            due=datasets.has_come(dataset.release_date),
        )
    return render_template("datasets/confirm.html", **confirming(dataset, action), values={}, errors={})


def confirming(dataset: Dataset, action: str) -> dict[str, Any]:
    move = move_of(dataset, action)
    return {
        "dataset": dataset,
        "move": move,
        "outcome": outcomes.of(dataset, action),
        "called": called(dataset),
        "url": url_for("datasets.act", ref=dataset.accession or dataset.id, action=action),
        "back": address(dataset),
    }


@bp.post("/deposit/<ref>/actions/<action>")
@permissions.signed_in
def act(ref: str, action: str) -> Response:
    dataset, note = permissions.dataset_or_404(ref, "edit"), request.form.get("note", "")
    version = request.form.get("version", type=int)
    name = called(dataset)
    try:
        with db.transaction():
            left = actions.act(dataset, action, actor=permissions.account(), note=note, version=version)
    except (errors.Invalid, errors.Conflict) as error:
        return refused(dataset, action, error, note)
    home = address(dataset) if left is not None else url_for("datasets.listing")
    flash(f"{left.accession or name if left else name} {DONE[action]}", "ok")
    return htmx.go_to(safe_next(request.form.get("next"), home))


def refused(dataset: Dataset, action: str, error: errors.Invalid | errors.Conflict, note: str) -> Response:
    """Pressed too early: the form with all that is missing, or the question again, with what is in the way. Raises
    Conflict where the action does not start from here."""
    if action == "submit":
        if isinstance(error, errors.Conflict):
            raise error
        return form_page.refused(
            dataset, error, values={}, rows={}, title="Before you submit, mend what is listed here."
        )
    db.session.refresh(dataset)
    return forms.refused("datasets/confirm.html", error, **confirming(dataset, action), values={"note": note})
