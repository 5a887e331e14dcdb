"""The curators' queue, a dataset as its submitter sees it, and the decision on the version that was seen."""

from flask import Blueprint, flash, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain import access, actions, checks, releases
from portal.models import Dataset
from portal.queries import datasets, files, review, revision
from portal.web import guards, htmx

bp = Blueprint("review", __name__, url_prefix="/review")
DONE = {"approve": "approved", "return": "returned", "release": "on its way to release"}


@bp.get("")
@guards.curator_only
def listing() -> Response:
    """What waits, the longest first."""
    asked, rev = request.args, revision.of_all()
    if htmx.is_htmx() and asked.get("rev") == rev:
        return htmx.unchanged()
    wanted = asked.get("state", "")
    state = wanted if wanted in ("submitted", "approved", "returned") else "submitted"
    page = review.queue(state=state, text=asked.get("text", ""), access=asked.get("access", ""),
                        after=asked.get("after", ""), before=asked.get("before", ""))  # fmt: skip
    counted = files.counts(*(row[0].id for row in page.rows))
    here = {name: asked[name] for name in ("state", "text", "access", "after", "before") if asked.get(name)}
    return htmx.fragment_or_page("review/_list.html", "review/list.html", page=page, counts=counted, state=state,
                                 waiting=review.waiting(), here=here, rev=rev)  # fmt: skip


@bp.get("/<ref>")
@guards.curator_only
def show(ref: str) -> Response:
    return page_of(guards.dataset_or_404(ref, "review"))


@bp.post("/<ref>/<action>")
@guards.curator_only
def decide(ref: str, action: str) -> Response:
    """Approve or return (or any later move); a newer version shows what changed instead."""
    dataset, me = guards.dataset_or_404(ref, "review"), guards.account()
    note, seen = request.form.get("note", ""), request.form.get("version", type=int)
    try:
        with db.transaction():
            actions.act(dataset, action, actor=me, note=note, version=seen)
    except (errors.Invalid, errors.Conflict) as error:
        fields = {"": " ".join(error.fields.values()) or error.sentence}
        return page_of(dataset, status=error.status, note=note, wrong=fields, seen=seen)
    flash(f"{dataset.accession} is {DONE.get(action, dataset.state)}.", "ok")
    return htmx.go_to(url_for("review.show", ref=ref))


def page_of(
    dataset: Dataset, *, status: int = 200, note: str = "", wrong: dict | None = None, seen: int | None = None
) -> Response:
    judged = review.baseline(dataset)
    if judged is None and seen not in (None, dataset.version):
        judged = review.handed_in(dataset)
    page = files.page(dataset, view=request.args.get("view", ""), after=request.args.get("after", ""),
                      before=request.args.get("before", ""))  # fmt: skip
    found = {
        "dataset": dataset, "files": page, "counts": files.counts(dataset.id)[dataset.id], "note": note,
        "wrong": wrong or {}, "seen": seen, "checks": checks.before_review(dataset), "judged": judged,
        "changes": review.changes(dataset, since=judged.id) if judged else [], "remarks": review.remarks(dataset),
        "history": review.history(dataset, limit=50), "shown": datasets.shown(dataset),
        "moves": actions.offered(dataset, actor=guards.account()),
        "is_owner": access.is_owner(dataset, guards.account()),
        "obstacles": releases.obstacles(dataset) if dataset.state == "approved" else [],
    }  # fmt: skip
    return htmx.fragment("review/show.html", status, **found)
