"""Sharing links of a dataset: made, listed, revoked; and the publications that let it open."""

from typing import Any

from flask import flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.datasets import publications, share_links
from portal.domain.permissions import access
from portal.models import Dataset
from portal.web import addresses, forms, htmx, permissions
from portal.web.datasets import asking
from portal.web.datasets.blueprint import bp, ref

ENDED = 100  # of those that open nothing any more, so many stand on a page


def shared(ref: str) -> Dataset:
    """A dataset whose links the asker may see: its submitter and curators."""
    dataset = permissions.dataset_or_404(ref)
    share_links.refuse_reader(dataset, permissions.account())
    return dataset


@bp.get("/deposit/<ref>/links")
@permissions.signed_in
def links_page(ref: str) -> str:
    return render_template("datasets/links.html", **_context(shared(ref)), values={"anonymised": "1"}, errors={})


def _context(dataset: Dataset) -> dict[str, Any]:
    before = request.args.get("before", 0, type=int)
    ended = share_links.ended(dataset, before=before, limit=ENDED + 1)
    links = [*([] if before else share_links.living(dataset)), *ended[:ENDED]]
    return {
        "dataset": dataset,
        "links": [(link, share_links.state_of(link)) for link in links],
        "before": before,
        "older": ended[ENDED - 1].n if len(ended) > ENDED else 0,
        "views": share_links.views(links),
        "blocking": share_links.obstacle(dataset),
        "telltales": share_links.author_traces(dataset),
        "anonymised_lives": share_links.anonymised_lives(dataset),
        "publications": [(paper, publications.address(paper)) for paper in publications.of(dataset)],
        "back": url_for("datasets.edit_page", ref=ref(dataset))
        if access.is_owner(dataset, permissions.account())
        else url_for("review.show", ref=ref(dataset)),
    }


@bp.post("/deposit/<ref>/links")
@permissions.signed_in
def make_link(ref: str) -> Response:
    """Make a link; its address is shown in the answer and never again."""
    dataset, values = shared(ref), forms.values("label", "expires", "anonymised")
    try:
        with db.transaction():
            link, secret = share_links.make(dataset, actor=permissions.account(), **values)
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        return forms.refused("datasets/links.html", error, **_context(dataset), values=values)
    url = addresses.outside("share_page.show", token=secret)
    answer = make_response(
        render_template(
            "datasets/links.html", **_context(dataset), values={"anonymised": "1"}, errors={}, fresh=(link, url)
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/deposit/<ref>/links/<int:n>/revoke")
@permissions.signed_in
def revoke_link(ref: str, n: int) -> Response:
    dataset = shared(ref)
    with db.transaction():
        link = share_links.revoke(dataset, n, actor=permissions.account())
    flash(f"The link “{link.label}” is revoked: it opens nothing any more.", "ok")
    return htmx.go_to(url_for("datasets.links_page", ref=ref))


@bp.get("/deposit/<ref>/links/<int:n>")
@permissions.signed_in
def link_page(ref: str, n: int) -> str:
    """When a link was opened, by the hour; not by whom."""
    dataset = shared(ref)
    link = share_links.by_number(dataset, n)
    return render_template(
        "datasets/link.html",
        dataset=dataset,
        link=link,
        state=share_links.state_of(link),
        log=share_links.view_log(link),
        back=url_for("datasets.links_page", ref=ref),
    )


@bp.post("/deposit/<ref>/publications")
@permissions.signed_in
def add_publication(ref: str) -> Response:
    """A DOI or PubMed number. One that would open the dataset is confirmed on a page of its own first."""
    dataset, values = shared(ref), forms.values("publication")
    home = url_for("datasets.links_page", ref=ref, _anchor="publications")
    if "back" in request.form:
        return htmx.go_to(home)
    try:
        if "release_now" not in request.form and publications.would_open(dataset, values["publication"]):
            return asking.publication(dataset, values["publication"])
        with db.transaction():
            publications.record(dataset, values["publication"], actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("datasets/links.html", error, **_context(dataset), values=values | {"anonymised": "1"})
    opens = "It stands on the page of the dataset."
    if dataset.released_at is None:
        opens = "The dataset opens with it as soon as nothing stands in the way."
    flash(f"The publication is recorded. {opens}", "ok")
    return htmx.go_to(home)


@bp.post("/deposit/<ref>/publications/<int:publication_id>/remove")
@permissions.signed_in
def remove_publication(ref: str, publication_id: int) -> Response:
    dataset = shared(ref)
    with db.transaction():
        publications.remove(dataset, publication_id, actor=permissions.account())
    return htmx.go_to(url_for("datasets.links_page", ref=ref, _anchor="publications"))
