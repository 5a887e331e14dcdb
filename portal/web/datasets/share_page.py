"""What the reviewers of a paper see under a sharing link: the text of an unreleased dataset and the list of its files
with sizes and digests. No route below it serves a byte of data."""

from flask import Blueprint, Response, render_template, request

from portal import db, errors, states
from portal.domain.accounts import rate_limit
from portal.domain.datasets import share_links
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Dataset, Link
from portal.queries.catalogue import released_datasets as released
from portal.web import session

bp = Blueprint("share_page", __name__, url_prefix="/share")
GUESSES = 30


@bp.get("/<token>")
def show(token: str) -> str:
    """The dataset behind a link; who opens it is counted, not noted."""
    link = live_link(token)
    if "after" not in request.args and "before" not in request.args and not known_here(link.dataset):
        count(link)
        link = share_links.find(token)
    dataset = link.dataset
    before = share_links.as_approved(dataset) if link.anonymised else None
    since = before.at if before is not None else None
    place = {name: request.args.get(name, "") for name in ("after", "before")}
    page = released.files(dataset, **place, since=since)
    total = released.sums([dataset]).get(dataset.id, released.Sum())
    compared = released.compared(dataset)
    files = [row[0] for row in page.rows]
    if before is not None:
        total, compared = released.sum_without(dataset, before.added, before.at)
        files = [share_links.AsApproved(f, before.of_files.get(f.n, {})) for f in files if f.n not in before.added]
    return render_template(
        "datasets/share_page.html",
        link=link,
        dataset=share_links.AsApproved(dataset, before.fields) if before is not None else dataset,
        page=page,
        files=files,
        sum=total,
        token=token,
        compared=compared,
        mended=before is not None,
        shown=states.SHOWN_DATASET[dataset.state],
    )


@bp.get("/<token>/files/<path:name>")
def no_bytes(token: str, name: str) -> str:
    """Said plainly, for whoever guesses the address of a file."""
    live_link(token)
    text = "A sharing link shows names, sizes and digests. The files open when the dataset is released."
    raise errors.Forbidden(say("link_shows_no_bytes", text))


def live_link(token: str) -> Link:
    """The live link; wrong tokens are counted by address, so that nobody tries many."""
    limits = {f"share:{session.client_address()}": GUESSES}
    rate_limit.check(limits)
    try:
        return share_links.find(token)
    except errors.NotFound:
        db.end()
        with db.transaction():
            rate_limit.count(*limits)
        raise


def known_here(dataset: Dataset) -> bool:
    """Whether its own people look: that is no reviewer's visit."""
    return access.may_see(dataset, session.actor())


def count(link: Link) -> None:
    link_id = link.id
    db.end()
    try:
        with db.transaction():
            share_links.note_view(db.session.get_one(Link, link_id))
    except errors.Busy:
        return  # a visit that is not counted is better than a page that is not shown


@bp.after_request
def keep_private(answer: Response) -> Response:
    """The address is a secret: no search engine, no referrer, no cache keeps it, whatever is answered."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Cache-Control"] = "no-store"
    return answer
