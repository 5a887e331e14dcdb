"""The blueprint of the API and what its calls share: JSON bodies, lists with a cursor, descriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from portal import errors
from portal.messages import say
from portal.queries.paging import keyset
from portal.web.api import bodies

bp = Blueprint("api", __name__, url_prefix="/api/v1")
LARGEST_BODY = 128 << 20
MOST_ITEMS = 500
Row = TypeVar("Row")

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


DESCRIPTIONS: dict[str, Described] = {}  # by the name of the view's function, which is that of its endpoint
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def described(**members: Any) -> Callable[[View], View]:
    """Say of a call what is in Described."""

    def mark(view: View) -> View:
        DESCRIPTIONS[view.__name__] = Described(**members)
        return view

    return mark


def description() -> Described:
    """What was said of the call that is answered now."""
    return described_as(request.endpoint or "")


def described_as(endpoint: str) -> Described:
    return DESCRIPTIONS.get(endpoint.removeprefix("api."), Described())


def body() -> dict[str, Any]:
    """The JSON object of the request; an empty one for an empty body. Raises Invalid for anything else."""
    document = any_body()
    if not isinstance(document, dict):
        raise errors.Invalid(say("json_no_object", "Send a JSON object."))
    return document


def any_body() -> Any:
    """The JSON of the request, held to the schema that its call names."""
    request.max_content_length = LARGEST_BODY
    data = request.get_data(cache=True)
    if not data:
        return {}
    document = bodies.read(data)
    bodies.check(document, description().body)
    return document


def number(name: str, default: int, *, most: int | None = None) -> int:
    """A whole number of the query string. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18:
        raise errors.Invalid(
            say("query_whole_number", "?{name}= is a whole number.", name=name),
            fields={name: say("whole_number", "A whole number, 0 or more.")},
        )
    return min(int(text), most) if most else int(text)


def limit() -> int:
    return max(1, number("limit", 100, most=MOST_ITEMS))


def listing(
    rows: list[Row],
    document: Callable[[Row], dict[str, Any]],
    cursor: Callable[[Row], int],
    name: str = "after",
) -> dict[str, Any]:
    """{"items": …, "next": url or null}: `rows` holds one more than asked for when there is more."""
    count = limit()
    more, shown = len(rows) > count, rows[:count]
    following = None
    if more:
        values = dict(request.view_args or {}) | request.args.to_dict() | {name: cursor(shown[-1])}
        following = url_for(request.endpoint or "", _external=True, **values)
    return {"items": [document(row) for row in shown], "next": following}


def paged(page: keyset.Page, document: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """The same of a page by key, whose cursor is text."""
    values = dict(request.view_args or {}) | request.args.to_dict() | {"after": page.older}
    following = url_for(request.endpoint or "", _external=True, **values) if page.older else None
    return {"items": [document(row) for row in page.rows], "next": following}
