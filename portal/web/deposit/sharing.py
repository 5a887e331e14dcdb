"""Sharing links of a dataset: made, listed, revoked; and the publications that let it open."""

from flask import flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain import access, links, publications
from portal.models import Dataset
from portal.web import addresses, forms, guards, htmx
from portal.web.deposit.blueprint import bp, ref

ENDED = 100  # of those that open nothing any more, so many stand on a page


def shared(found: str) -> Dataset:
    """A dataset whose links the asker may see: its submitter and curators."""
    dataset = guards.dataset_or_404(found)
    me = guards.account()
    if not (access.is_owner(dataset, me) or access.may_review(dataset, me)):
        raise errors.Forbidden("Only its submitter and curators see the sharing links of a dataset.")
    return dataset


@bp.get("/deposit/<ref>/links")
@guards.signed_in
def links_page(ref: str) -> str:
    return render_template("deposit/links.html", **_context(shared(ref)), values={"anonymised": "1"}, errors={})


def _context(dataset: Dataset) -> dict:
    before = request.args.get("before", 0, type=int)
    ended = links.ended(dataset, before=before, limit=ENDED + 1)
    made = [*([] if before else links.living(dataset)), *ended[:ENDED]]
    return {
        "dataset": dataset,
        "links": [(link, links.state_of(link)) for link in made],
        "before": before,
        "older": ended[ENDED - 1].n if len(ended) > ENDED else 0,
        "views": links.views(made),
        "blocking": links.obstacle(dataset),
        "telltales": links.telltales(dataset),
        "publications": [(paper, publications.address(paper)) for paper in publications.of(dataset)],
        "back": url_for("deposit.edit_page", ref=ref(dataset))
        if access.is_owner(dataset, guards.account())
        else url_for("review.show", ref=ref(dataset)),
    }


@bp.post("/deposit/<ref>/links")
@guards.signed_in
def make_link(ref: str) -> Response:
    """Make a link; its address is shown in the answer and never again."""
    dataset, values = shared(ref), forms.values("label", "expires", "anonymised")
    try:
        with db.transaction():
            link, secret = links.make(dataset, actor=guards.account(), **values)
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(dataset)
        return forms.refused("deposit/links.html", error, **_context(dataset), values=values)
    url = addresses.outside("share.show", token=secret)
    answer = make_response(
        render_template(
            "deposit/links.html", **_context(dataset), values={"anonymised": "1"}, errors={}, fresh=(link, url)
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/deposit/<ref>/links/<int:n>/revoke")
@guards.signed_in
def revoke_link(ref: str, n: int) -> Response:
    dataset = shared(ref)
    with db.transaction():
        link = links.revoke(dataset, n, actor=guards.account())
    flash(f"The link “{link.label}” is revoked: it opens nothing any more.", "ok")
    return htmx.go_to(url_for("deposit.links_page", ref=ref))


@bp.get("/deposit/<ref>/links/<int:n>")
@guards.signed_in
def link_page(ref: str, n: int) -> str:
    """When a link was opened, by the hour; not by whom."""
    dataset = shared(ref)
    link = links.by_number(dataset, n)
    return render_template(
        "deposit/link.html",
        dataset=dataset,
        link=link,
        state=links.state_of(link),
        log=links.view_log(link),
        back=url_for("deposit.links_page", ref=ref),
    )


@bp.post("/deposit/<ref>/publications")
@guards.signed_in
def add_publication(ref: str) -> Response:
    """A DOI or PubMed number: the dataset opens once it is approved."""
    dataset, values = shared(ref), forms.values("publication")
    try:
        with db.transaction():
            publications.record(dataset, values["publication"], actor=guards.account())
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("deposit/links.html", error, **_context(dataset), values=values | {"anonymised": "1"})
    opens = "It stands on the page of the dataset."
    if dataset.released_at is None:
        opens = "The dataset opens with it as soon as nothing stands in the way."
    flash(f"The publication is recorded. {opens}", "ok")
    return htmx.go_to(url_for("deposit.links_page", ref=ref, _anchor="publications"))


@bp.post("/deposit/<ref>/publications/<int:publication_id>/remove")
@guards.signed_in
def remove_publication(ref: str, publication_id: int) -> Response:
    dataset = shared(ref)
    with db.transaction():
        publications.remove(dataset, publication_id, actor=guards.account())
    return htmx.go_to(url_for("deposit.links_page", ref=ref, _anchor="publications"))
