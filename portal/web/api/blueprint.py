"""The blueprint of the API and what its calls share: JSON bodies, lists with a cursor, descriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, request, url_for

from portal import errors
from portal.queries.paging import keyset
from portal.web.api import bodies

bp = Blueprint("api", __name__, url_prefix="/api/v1")
LARGEST_BODY = 128 << 20
MOST_ITEMS = 500


BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Described:
    """What the OpenAPI document says of a call: schemas of its JSON, media types of anything else, its statuses."""

    answer: str = ""
    body: str = ""
    status: int = 200
    lists: bool = False
    also: int | None = None  # it may answer this too
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()


def described(**said: Any) -> Callable:
    """Say of a call what is in Described."""

    def mark(view: Callable) -> Callable:
        view.described = Described(**said)  # type: ignore[attr-defined]
        return view

    return mark


def body() -> dict[str, Any]:
    """The JSON object of the request; an empty one for an empty body. Raises Invalid for anything else."""
    found = any_body()
    if not isinstance(found, dict):
        raise errors.Invalid("Send a JSON object.")
    return found


def any_body() -> Any:
    """The JSON of the request, held to the schema that its call names."""
    request.max_content_length = LARGEST_BODY
    data = request.get_data(cache=True)
    if not data:
        return {}
    found = bodies.read(data)
    told: Described = getattr(current_app.view_functions[request.endpoint or ""], "described", Described())
    bodies.check(found, told.body)
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
