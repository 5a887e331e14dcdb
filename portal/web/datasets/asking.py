"""The pages that ask before a publication or a release date opens a dataset: what becomes public, and what was typed
sent along. The moves of the life cycle have theirs in actions.py."""

from typing import Any

from flask import Response, request, url_for

from portal.models import Dataset
from portal.queries.datasets import outcomes
from portal.web import htmx
from portal.web.datasets.blueprint import ref


def publication(dataset: Dataset, text: str) -> Response:
    """Before a paper is recorded that lets the dataset open."""
    return _page(
        dataset,
        outcomes.of(dataset, "publication"),
        url=url_for("datasets.add_publication", ref=ref(dataset)),
        word="Record and release",
        lead=f"The publication {text.strip()[:200]} lets this dataset open to everybody.",
    )


def date(dataset: Dataset, values: dict[str, Any], *, changes: bool) -> Response:
    """Before a release date of today or earlier is saved. `changes`: more than the date changed, so that a curator
    looks at it first."""
    return _page(
        dataset,
        outcomes.of(dataset, "date", waits=changes),
        url=url_for("datasets.save", ref=ref(dataset)),
        word="Save and release",
        lead=f"The release date {values['release_date']} has come: this dataset opens to everybody.",
    )


def _page(dataset: Dataset, outcome: outcomes.Outcome, **said: str) -> Response:
    """`typed` goes along unseen, so that Back and the confirmation have every word of it."""
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return htmx.fragment("datasets/open.html", 200, dataset=dataset, outcome=outcome, typed=typed, **said)
