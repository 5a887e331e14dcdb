"""The decision on the version that was seen, and the later moves that only curators make."""

from typing import Any

from flask import Response, flash, render_template, request, url_for

from portal import db, errors
from portal.domain.datasets import actions
from portal.domain.shared import changes
from portal.messages import say
from portal.models import Dataset
from portal.queries.datasets import outcomes
from portal.web import forms, htmx, permissions
from portal.web.review.blueprint import bp
from portal.web.review.page import record_view, whole

DONE = {"approve": "approved", "return": "returned", "release": "on its way to release"}
# The later moves, which have a page of their own first.
ASKED = ("release", "unpublish", "suppress", "reinstate", "withdraw")


@bp.get("/review/<ref>/<action>")
@permissions.curator_only
def ask(ref: str, action: str) -> str:
    """What a later move does in the sight of others, and its reason."""
    dataset = permissions.dataset_or_404(ref, "review")
    if action not in ASKED:
        raise errors.NotFound(actions.unknown(action))
    return render_template("datasets/confirm.html", **_asking(dataset, action), values={}, errors={})


def _asking(dataset: Dataset, action: str) -> dict[str, Any]:
    """Raises Conflict where the action is not open to the reader now."""
    offered = {move.action: move for move in actions.offered(dataset, actor=permissions.account())}
    if action not in offered:
        text = "{dataset} is {state}: this is not possible now."
        raise errors.Conflict(say("review_not_offered", text, dataset=dataset.accession, state=dataset.state))
    return {
        "dataset": dataset,
        "move": offered[action],
        "outcome": outcomes.of(dataset, action),
        "called": dataset.accession,
        "url": url_for("review.decide", ref=dataset.accession, action=action),
        "back": url_for("review.show", ref=dataset.accession),
    }


def _refused(dataset: Dataset, action: str, error: errors.Invalid | errors.Conflict, note: str) -> Response:
    return forms.refused("datasets/confirm.html", error, **_asking(dataset, action), values={"note": note})


@bp.post("/review/<ref>/<action>")
@permissions.curator_only
def decide(ref: str, action: str) -> Response:
    """Approve or return (or any later move); a newer version shows what changed instead, and keeps the remark."""
    dataset, me, form = permissions.dataset_or_404(ref, "review"), permissions.account(), request.form
    note, version, event = form.get("note", ""), form.get("version", type=int), form.get("event", type=int)
    try:
        with db.transaction():
            actions.act(dataset, action, actor=me, note=note, version=version)
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        if action in ASKED:
            return _refused(dataset, action, error, note)
        wrong = {"note" if error.fields else "": " ".join(error.fields.values()) or error.sentence}
        newer = _seen(dataset, version, event) if version not in (None, dataset.version) else None
        return whole(
            dataset,
            record_view(dataset),
            status=error.status,
            since=newer,
            note=note,
            wrong=wrong,
            overtaken=version if newer is not None else None,
        )
    flash(f"{dataset.accession} is {DONE.get(action, dataset.state)}.", "ok")
    return htmx.go_to(url_for("review.show", ref=ref))


def _seen(dataset: Dataset, version: int | None, event: int | None) -> int:
    """The event up to which the page showed the dataset; from a version alone, the last turn that met it."""
    if event is not None:
        return event
    event_of_version = changes.as_of(dataset, version or 0)
    return event_of_version.id if event_of_version else 0
