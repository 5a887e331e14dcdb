"""Forms: what was typed, and the answer to a form that is refused (422 with everything typed still in it)."""

from typing import Any

from flask import Response, request

from portal import errors
from portal.web import htmx


def values(*names: str) -> dict[str, str]:
    """The fields of the form by name; missing ones are empty."""
    return {name: request.form.get(name, "") for name in names}


def faults(error: errors.DomainError) -> dict[str, str]:
    """The errors a template's fields show; under '' what belongs to no field."""
    return error.fields or {"": error.sentence}


def refused(template: str, error: errors.DomainError, *, fragment: str | None = None, **context: Any) -> Response:
    """The same form again with its faults. `fragment` is what htmx swaps, when the form is one."""
    if error.status == 503 and htmx.is_htmx():
        raise error  # told above the form, which stays as it is
    status = error.status if error.status in (409, 422, 429, 503) else 422
    chosen = fragment if fragment and htmx.is_htmx() else template
    page = htmx.fragment(chosen, status, errors=faults(error), error=error, **context)
    if status in (429, 503):
        page.headers["Retry-After"] = str(error.more.get("retry_after", 5))
    return page
