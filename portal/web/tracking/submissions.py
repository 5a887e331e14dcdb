"""The submissions: all, published, in need of attention; and one of them with its components."""

from flask import request
from werkzeug.wrappers import Response

from portal import clock, errors, states
from portal.config import settings
from portal.messages import say
from portal.models import Account, Dataset
from portal.queries.datasets import datasets as my_datasets
from portal.queries.datasets import revision
from portal.queries.files import tallies
from portal.queries.paging import keyset
from portal.queries.tracking import submissions
from portal.web import htmx, permissions
from portal.web.tracking.blueprint import bp, here, one_of

NAMES = ("state", "text", "problems")
PART_NAMES = ("state", "type", "text")
ROWS = 50
WORDS = {
    "submissions": ("Submissions", "All submissions with their components and files."),
    "published": ("Submissions-Published", "What is released, suppressed or withdrawn."),
    "attention": ("Submissions-Attention", "What is not published yet: grey waits, red needs mending."),
}


@bp.get('/<any("submissions", "published", "attention"):tab>', endpoint="submissions")
@permissions.signed_in
def listing(tab: str) -> Response:
    me = permissions.account()
    rev = revision.of_account(me)
    if htmx.is_htmx() and request.args.get("rev") == rev:
        return htmx.unchanged()
    word, says = WORDS[tab]
    return htmx.fragment_or_page(
        "tracking/_submissions.html",
        "tracking/submissions.html",
        page=rows(me, tab, **here("after", "before")),
        rev=rev,
        tab=tab,
        tabs=submissions.tabs(me),
        word=word,
        says=says,
        here=here(*NAMES),
        place=here("after", "before"),
        states=[(state, states.SHOWN_DATASET[state].word) for state in submissions.TABS[tab]],
    )


def rows(account: Account, tab: str, limit: int = ROWS, **cursor: str) -> keyset.Page:
    """A page of what the query string asks for."""
    return submissions.page(
        account,
        tab,
        state=one_of("state", submissions.TABS[tab]),
        text=request.args.get("text", ""),
        problems=bool(request.args.get("problems")),
        limit=limit,
        **cursor,
    )


def mine(ref: str) -> Dataset:
    dataset = submissions.own(permissions.account(), ref)
    if dataset is None:
        raise errors.NotFound(say("no_submission_of_yours", "You have no submission {ref}.", ref=ref))
    return dataset


@bp.get("/<ref>", endpoint="submission")
@permissions.signed_in
def show(ref: str) -> Response:
    dataset = mine(ref)
    rev = revision.of_dataset(dataset)
    if htmx.is_htmx() and request.args.get("rev") == rev:
        return htmx.unchanged()
    counted = tallies.of([dataset])[dataset.id]
    return htmx.fragment_or_page(
        "tracking/_components.html",
        "tracking/submission.html",
        dataset=dataset,
        rev=rev,
        counted=counted,
        page=parts(dataset, **here("after", "before")),
        here=here(*PART_NAMES),
        place=here("after", "before"),
        tabs=submissions.tabs(permissions.account()),
        looks=states.SHOWN_COMPONENT,
        types=[(kind, kind) for kind in submissions.COMPONENT_TYPES],
        states=[(state, states.SHOWN_COMPONENT[state].word) for state in submissions.WORST_FIRST],
        shown=my_datasets.shown(dataset),
        moving=bool(counted.files.get("work")),
        since=clock.day_of(dataset.created_at - 90 * clock.DAY, settings().timezone).isoformat(),
    )


def parts(dataset: Dataset, limit: int = keyset.PAGE, **cursor: str) -> keyset.Page:
    """A page of the components that the query string asks for."""
    return submissions.components(
        dataset,
        state=one_of("state", submissions.WORST_FIRST),
        kind=one_of("type", submissions.COMPONENT_TYPES),
        text=request.args.get("text", ""),
        limit=limit,
        **cursor,
    )
