"""Permissions of views: decorators for views, and datasets that the asker may see."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from portal import errors
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Account, Dataset
from portal.web import session

View = TypeVar("View", bound=Callable[..., Any])
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def account() -> Account:
    """The signed-in account, as `actor=` for the domain; SignInNeeded where nobody is."""
    actor = session.actor()
    if actor is None:
        raise errors.SignInNeeded(say("sign_in_to_go_on", "Sign in to go on."))
    return actor


def signed_in(view: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Only for signed-in accounts; others get SignInNeeded."""

    @wraps(view)
    def guarded(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        account()
        return view(*args, **kwargs)

    return guarded


def curator_only(view: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Only for curators; others get SignInNeeded or Forbidden."""

    @wraps(view)
    def guarded(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        if not account().is_curator:
            raise errors.Forbidden(say("curators_page", "Only curators may open this page."))
        return view(*args, **kwargs)

    return guarded


def dataset_or_404(ref: int | str, right: str = "see") -> Dataset:
    """The dataset of an id or accession where the asker has the right ("see", "edit", "review"); nobody else learns
    that it exists."""
    return access.load(ref, actor=session.actor(), right=right)


def raw_body(view: View) -> View:
    """Mark a view that reads request.stream itself: no size limit and no form parsing before it. Without the
    X-CSRFToken header (and without a bearer token) it must pass the token of its body to session.check_csrf()."""
    view.reads_raw_body = True  # type: ignore[attr-defined]
    return view
