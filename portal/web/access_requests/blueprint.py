"""The blueprint that the views of this area hang on, and what every page about a controlled dataset may ask for."""

from typing import Any

from flask import Blueprint, url_for

from portal.domain.access_requests import duo, requests, terms
from portal.domain.permissions import access
from portal.models import Dataset, Request
from portal.queries.access_requests import requests as listed
from portal.web import session

bp = Blueprint("access_requests", __name__)


def ref(dataset: Dataset) -> str:
    return dataset.accession or str(dataset.id)


def address(request: Request, anchor: str | None = None) -> str:
    """The page of a request."""
    return url_for("access_requests.show", request_id=request.id, _anchor=anchor)


def asking(dataset: Dataset) -> dict[str, Any]:
    """What the landing page says of the way to the bytes: the terms, who decides, how soon, how mine stands."""
    me, chosen = session.actor(), terms.of(dataset)
    return {
        "terms": chosen,
        "uses": [(code, duo.CODES.get(code, code)) for code in chosen.uses],
        "committee": terms.committee(dataset),
        "pace": listed.pace(dataset),
        "mine": listed.of(dataset, me),
        "reach": access.reach(dataset, me),
        "blocking": requests.obstacle(dataset, me),
        "may_set": terms.may_set(dataset, me),
    }


@bp.app_context_processor
def _share() -> dict[str, Any]:
    return {"asking": asking}
