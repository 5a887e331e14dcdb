"""Sharing links and publications by API."""

from typing import Any

from flask.typing import ResponseReturnValue

from portal import db
from portal.domain.datasets import publications, share_links
from portal.models import Dataset, Link, Publication
from portal.web import addresses, permissions
from portal.web.api.blueprint import body, bp, described
from portal.web.api.documents import moment
from portal.web.permissions import dataset_or_404


def shared(ref: str) -> Dataset:
    """A dataset whose links the caller may see: its submitter and curators."""
    dataset = dataset_or_404(ref)
    share_links.refuse_reader(dataset, permissions.account())
    return dataset


@bp.post("/datasets/<ref>/links")
@described(body="LinkFields", answer="NewLink", status=201)
def make_link(ref: str) -> ResponseReturnValue:
    """Make a sharing link: {label, expires, anonymised}. `url` is told this once. 409 until the dataset is approved and
    all its files are archived."""
    dataset, given = shared(ref), body()
    fields = {name: given[name] for name in ("label", "expires", "anonymised") if given.get(name) is not None}
    with db.transaction():
        link, secret = share_links.make(dataset, actor=permissions.account(), **fields)
    return of_link(link, share_links.Views()) | {"url": addresses.outside("share_page.show", token=secret)}, 201


@bp.get("/datasets/<ref>/links")
@described(answer="Link", lists=True)
def list_links(ref: str) -> ResponseReturnValue:
    """Every link that was made, newest first, with how often it was opened."""
    dataset = shared(ref)
    links = share_links.of(dataset)
    seen = share_links.views(links)
    return {"items": [of_link(link, seen.get(link.id, share_links.Views())) for link in links], "next": None}


@bp.delete("/datasets/<ref>/links/<int:n>")
@described(status=204)
def revoke_link(ref: str, n: int) -> ResponseReturnValue:
    """End a link at once."""
    dataset = shared(ref)
    with db.transaction():
        share_links.revoke(dataset, n, actor=permissions.account())
    return "", 204


@bp.post("/datasets/<ref>/publications")
@described(body="PublicationFields", answer="Publication", status=201)
def add_publication(ref: str) -> ResponseReturnValue:
    """Record a DOI or PubMed number: {publication}. The dataset opens once it is approved and all is archived."""
    dataset, given = shared(ref), body()
    with db.transaction():
        publication = publications.record(
            dataset, given.get("publication"), actor=permissions.account(), title=str(given.get("title") or "")
        )
    return of_publication(publication), 201


@bp.get("/datasets/<ref>/publications")
@described(answer="Publication", lists=True)
def list_publications(ref: str) -> ResponseReturnValue:
    """The publications of a dataset; of a released one they are public."""
    return {
        "items": [of_publication(publication) for publication in publications.of(dataset_or_404(ref))],
        "next": None,
    }


@bp.delete("/datasets/<ref>/publications/<int:publication_id>")
@described(status=204)
def remove_publication(ref: str, publication_id: int) -> ResponseReturnValue:
    """Take back a publication that was recorded by mistake."""
    dataset = shared(ref)
    with db.transaction():
        publications.remove(dataset, publication_id, actor=permissions.account())
    return "", 204


def of_link(link: Link, seen: share_links.Views) -> dict[str, Any]:
    return {
        "id": link.n,
        "label": link.label,
        "anonymised": link.anonymised,
        "state": share_links.state_of(link),
        "created": moment(link.created_at),
        "expires": moment(link.expires_at),
        "views": seen.count,
        "last_view": moment(seen.last),
    }


def of_publication(publication: Publication) -> dict[str, Any]:
    return {
        "id": publication.id,
        "kind": publication.kind,
        "value": publication.value,
        "title": publication.title,
        "source": publication.source,
        "recorded": moment(publication.at),
        "url": publications.address(publication),
    }
