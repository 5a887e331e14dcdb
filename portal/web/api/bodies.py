"""Checks a JSON body against the schema of its call: a message for each member of the wrong type. Which values are
allowed is for the domain to say."""

import json
from typing import Any

from portal import errors
from portal.messages import Message, say
from portal.web.api.schemas import SCHEMAS
from portal.web.api.schemas.kinds import CHOSEN_BY

TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
LARGEST_WHOLE = 1 << 63
_kinds_of: dict[int, list[dict[str, Any]]] = {}


def read(data: bytes) -> object:
    """The JSON of a body. Raises Invalid, for one that is nested too deep too."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise errors.Invalid(
            say("body_unreadable", "The body is no JSON that can be read. Send it as application/json in UTF-8.")
        ) from None


def check(given: object, name: str) -> None:
    """Raises Invalid with a message for each member of `given` that is not of the type in the schema `name`."""
    faults: dict[str, Message] = {}
    _compare(given, SCHEMAS[name], "", faults)
    if "" in faults:
        raise errors.Invalid(say("body_kind", "Send {kind} as JSON.", kind=_described(SCHEMAS[name])))
    if faults:
        raise errors.Invalid(
            say("members_mistyped", "Some members are of the wrong type; nothing was changed."), fields=faults
        )


def _compare(value: object, schema: dict[str, Any], at: str, faults: dict[str, Message]) -> None:
    kind = next((kind for kind in _kinds(schema) if _is_of(value, kind)), None)
    if kind is None:
        faults[at] = say("member_kind", "This must be {kind}.", kind=_described(schema))
    elif isinstance(value, str) and not value.isascii() and not _is_whole_text(value):
        faults[at] = say("lone_surrogate", "This text holds half a character (a lone surrogate).")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            _compare(item, kind["items"], f"{at or 'files'}.{n}", faults)
    elif isinstance(value, dict):
        properties = kind.get("properties", {})
        for name, member in value.items():
            if name in properties:
                _compare(member, properties[name], f"{at}.{name}" if at else name, faults)


def _kinds(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The kinds of value that a schema allows, references followed; worked out once for each schema, for a body may
    hold a million."""
    kinds = _kinds_of.get(id(schema))
    if kinds is None:
        whole = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        kinds = [kind for part in whole["anyOf"] for kind in _kinds(part)] if "anyOf" in whole else [whole]
        _kinds_of[id(schema)] = kinds
    return kinds


def _type(kind: dict[str, Any]) -> str:
    """The JSON type of a kind. An enum has none: any text passes here."""
    return str(kind.get("type", "string"))


def _is_of(value: object, kind: dict[str, Any]) -> bool:
    match _type(kind):
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_WHOLE
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict) and (CHOSEN_BY not in kind or kind[CHOSEN_BY] in value)
        case _:
            return value is None


def _is_whole_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _described(schema: dict[str, Any]) -> str:
    """The kinds of a schema in words: "text or a whole number"."""
    names = dict.fromkeys(TYPE_NAMES[_type(kind)] for kind in _kinds(schema))
    return " or ".join(name for name in names if name != "null") or "null"
