"""What is released, found by words, for everybody; and what is about to be, for curators."""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from portal import errors
from portal.domain.datasets import releases
from portal.messages import say
from portal.models import Dataset
from portal.queries.catalogue import released_datasets
from portal.web import permissions
from portal.web.api import documents
from portal.web.api.blueprint import bp, described, limit, listing, number, paged


@bp.get("/search")
@described(answer="Found", lists=True)
def search() -> ResponseReturnValue:
    """Released datasets with all words of ?q=, newest first; ?access=open|controlled and ?type= narrow it as on the
    page. No account is needed."""
    filters = {name: request.args.get(name, "").strip() for name in ("q", "access", "type", "after")}
    query = released_datasets.matching(words=filters["q"], access=filters["access"], data_type=filters["type"])
    page = released_datasets.page(query, after=filters["after"], limit=limit())
    sums = released_datasets.sums([row[0] for row in page.rows])
    return paged(page, lambda row: of_found(row[0], sums.get(row[0].id, released_datasets.Sum())))


def of_found(dataset: Dataset, total: released_datasets.Sum) -> dict[str, Any]:
    texts = ("description", "species", "taxon_id", "data_type", "bioproject", "investigator")
    return (
        documents.brief(dataset)
        | {name: getattr(dataset, name) for name in texts}
        | {
            "center": dataset.center.name,
            "released": documents.moment(dataset.released_at),
            "files": total.files,
            "size": total.size,
        }
    )


@bp.get("/releases")
@described(answer="DueRelease", lists=True)
def list_due() -> ResponseReturnValue:
    """What is due to open, as `omix release-due --dry-run` says it, for curators: asked for, published, overdue, or
    coming within ?days= (1: what opens tonight); with what is in the way. Nothing is opened."""
    if not permissions.account().is_curator:
        raise errors.Forbidden(say("releases_by_curator", "Only curators may see what is about to open."))
    start = number("after", 0)
    due = releases.due(limit() + 1, ahead=number("days", 1, most=366), skip=start)
    return listing(due, of_due, lambda _dataset: start + limit())


def of_due(dataset: Dataset) -> dict[str, Any]:
    obstacles = [str(message) for message in releases.obstacles(dataset)]
    return documents.brief(dataset) | {"cause": releases.cause(dataset), "obstacles": obstacles, "opens": not obstacles}
