"""One dataset under review: its sections and files as the submitter sees them, what is new, what was found."""

from typing import Any

from flask import Response, request, url_for

from portal import db, errors
from portal.domain.accounts import editors
from portal.domain.datasets import actions, failed_work, prechecks, releases, reviews
from portal.domain.permissions import access
from portal.domain.shared import changes
from portal.models import Dataset, Look
from portal.queries.catalogue import released_datasets
from portal.queries.datasets import datasets, remark_threads, revision
from portal.queries.files import delays, files, tallies
from portal.queries.review import review
from portal.web import htmx, permissions
from portal.web.review.blueprint import bp

VIEW = ("view", "after", "before")


@bp.get("/review/<ref>")
@permissions.curator_only
def show(ref: str) -> Response:
    dataset = permissions.dataset_or_404(ref, "review")
    first = db.session.get(Look, (permissions.account().id, dataset.id)) is None
    return whole(dataset, record_view(dataset), first=first)


@bp.get("/review/<ref>/files")
@permissions.curator_only
def file_list(ref: str) -> Response:
    """The table that asks for itself again, with word of a newer version; 204 when nothing has changed."""
    dataset = permissions.dataset_or_404(ref, "review")
    if not htmx.is_htmx():
        return htmx.go_to(url_for("review.show", ref=ref, _anchor="files"))
    if request.args.get("rev") == revision.of_dataset(dataset):
        return htmx.unchanged()
    return htmx.fragment("review/_live.html", **live(dataset, request.args.get("seen", type=int)))


@bp.post("/review/<ref>/seen")
@permissions.curator_only
def mark_seen(ref: str) -> Response:
    """Take the marks of what is new away."""
    dataset = permissions.dataset_or_404(ref, "review")
    with db.transaction():
        reviews.mark_seen(dataset, actor=permissions.account())
    return htmx.go_to(url_for("review.show", ref=ref))


def record_view(dataset: Dataset) -> Look | None:
    """Note that the reader sees it now. A busy database costs the note, not the page."""
    try:
        with db.transaction():
            return reviews.record_view(dataset, actor=permissions.account())
    except errors.Busy:
        return None


def whole(
    dataset: Dataset, seen: Look | None, *, status: int = 200, since: int | None = None, **more: object
) -> Response:
    """The page. `since` is the event that a refused decision had seen; else what the last visit saw."""
    start = since if since is not None else (seen.since_id if seen else changes.newest(dataset))
    judged, edits = changes.last_review(dataset), changes.since(dataset, start)
    before = changes.since(dataset, judged.id) if judged else []
    marked = edits or before
    context = {
        "judged": judged,
        "changes": edits,
        "before": before if before != edits else [],
        "visit": seen,
        "first": False,
        "changed": {change.field: change for change in marked if change.n is None},
        "findings": prechecks.of(dataset, reviewing=True),
        "history": review.history(dataset, limit=50),
        "newest": changes.newest(dataset),
        "note": "",
        "wrong": {},
        "waiting": review.waiting()["submitted"],
        "place": review.place_in_queue(dataset) if dataset.state == "submitted" else 0,
        "obstacles": releases.obstacles(dataset) if dataset.state == "approved" else [],
        "compared": released_datasets.compared(dataset),
        "age": review.age,
        **live(dataset, dataset.version, marked),
    }
    context["deciding"] = any(move.action == "return" for move in context["moves"])
    return htmx.fragment("review/show.html", status, **context | more)


def live(dataset: Dataset, seen: int | None, marked: list[changes.Change] | None = None) -> dict[str, Any]:
    """What changes while one looks: the files, the state, and word of a newer version."""
    args = {name: request.args[name] for name in VIEW if request.args.get(name)}
    counted = tallies.files([dataset.id])[dataset.id]
    if marked is None:
        kept = db.session.get(Look, (permissions.account().id, dataset.id))
        marked = changes.since(dataset, kept.since_id) if kept else []
    by_file: dict[int, list[changes.Change]] = {}
    for change in marked:
        if change.n is not None:
            by_file.setdefault(change.n, []).append(change)
    page = files.page(dataset, **args)
    return {
        "dataset": dataset,
        "moves": actions.offered(dataset, actor=permissions.account()),
        "is_owner": access.may_edit(dataset, permissions.account()),
        "co_submitters": [person.name for person in editors.people(dataset) if person.id != dataset.account_id],
        "opens": releases.cause(dataset) if dataset.state == "submitted" else None,
        "deciding": request.args.get("deciding") == "1",
        "files": page,
        "delays": delays.of((file_row.upload, file_row.file) for file_row in page.rows),
        "counts": counted,
        "shown": datasets.shown(dataset),
        "declared": tallies.declared(counted),
        "bytes": tallies.bytes_of(dataset),
        "here": args,
        "seen": seen,
        "failed_work": failed_work.of(dataset),
        "rev": revision.of_dataset(dataset),
        "moving": files.moves(dataset, counted),
        "by_file": by_file,
        "work": files.works_of(dataset.id, [])[1],
        "thread": remark_threads.of(dataset, permissions.account()),
        "wrong": {},
    }
