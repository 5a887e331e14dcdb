"""The blueprint of the API and what its calls share: JSON bodies, lists with a cursor, descriptions."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request, url_for

from portal import errors
from portal.queries import keyset

bp = Blueprint("api", __name__, url_prefix="/api/v1")
LARGEST_BODY = 128 << 20
MOST_ITEMS = 500


def described(*, answer: str = "", body: str = "", status: int = 200, lists: bool = False) -> Callable:
    """Say for the OpenAPI document which schema a call takes and answers."""

    def mark(view: Callable) -> Callable:
        view.described = {"answer": answer, "body": body, "status": status, "lists": lists}  # type: ignore[attr-defined]
        return view

    return mark


def body() -> dict[str, Any]:
    """The JSON object of the request; an empty one for an empty body. Raises Invalid for anything else."""
    found = any_body()
    if not isinstance(found, dict):
        raise errors.Invalid("Send a JSON object.")
    return found


def any_body() -> Any:
    request.max_content_length = LARGEST_BODY
    if not request.get_data(cache=True):
        return {}
    found = request.get_json(force=True, silent=True)
    if found is None:
        raise errors.Invalid("The body is no JSON. Send it as application/json in UTF-8.")
    return found


def number(name: str, default: int, *, most: int | None = None) -> int:
    """A whole number of the query string. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18:
        raise errors.Invalid(f"?{name}= is a whole number.", fields={name: "A whole number, 0 or more."})
    return min(int(text), most) if most else int(text)


def limit() -> int:
    return max(1, number("limit", 100, most=MOST_ITEMS))


def listing(rows: list, document: Callable[[Any], dict], cursor: Callable[[Any], int], name: str = "after") -> dict:
    """{"items": …, "next": url or null}: `rows` holds one more than asked for when there is more."""
    count = limit()
    more, shown = len(rows) > count, rows[:count]
    following = None
    if more:
        values = dict(request.view_args or {}) | request.args.to_dict() | {name: cursor(shown[-1])}
        following = url_for(request.endpoint or "", _external=True, **values)
    return {"items": [document(row) for row in shown], "next": following}


def paged(page: keyset.Page, document: Callable[[Any], dict]) -> dict:
    """The same of a page by key, whose cursor is text."""
    values = dict(request.view_args or {}) | request.args.to_dict() | {"after": page.older}
    following = url_for(request.endpoint or "", _external=True, **values) if page.older else None
    return {"items": [document(row) for row in page.rows], "next": following}
