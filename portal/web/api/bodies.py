"""A JSON body held to the schema of its call: a sentence for each member of the wrong type. What the values may be is
the domain's to say."""

import json
from typing import Any

from portal import errors
from portal.web.api.schemas import SCHEMAS

WORDS = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
LARGEST_WHOLE = 1 << 63
_known: dict[int, list[dict[str, Any]]] = {}


def read(data: bytes) -> Any:
    """The JSON of a body. Raises Invalid, for one that is nested too deep too."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise errors.Invalid("The body is no JSON that can be read. Send it as application/json in UTF-8.") from None


def check(given: Any, name: str) -> None:
    """Raises Invalid with a sentence for each member of `given` that is not of the type the schema `name` says."""
    faults: dict[str, str] = {}
    _compare(given, SCHEMAS[name], "", faults)
    if "" in faults:
        raise errors.Invalid(f"Send {_meant(SCHEMAS[name])} as JSON.")
    if faults:
        raise errors.Invalid("Some members are of the wrong type; nothing was changed.", fields=faults)


def _compare(value: Any, schema: dict[str, Any], at: str, faults: dict[str, str]) -> None:
    kind = next((one for one in _kinds(schema) if _fits(value, one)), None)
    if kind is None:
        faults[at] = f"This must be {_meant(schema)}."
    elif isinstance(value, str) and not value.isascii() and not _is_whole_text(value):
        faults[at] = "This text holds half a character (a lone surrogate)."
    elif isinstance(value, list):
        for n, one in enumerate(value):
            _compare(one, kind["items"], f"{at or 'files'}.{n}", faults)
    elif isinstance(value, dict):
        members = kind.get("properties", {})
        for member, one in value.items():
            if member in members:
                _compare(one, members[member], f"{at}.{member}" if at else member, faults)


def _kinds(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a value may be, references followed; worked out once for each schema, for a body may hold a million."""
    found = _known.get(id(schema))
    if found is None:
        whole = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        found = [kind for one in whole["anyOf"] for kind in _kinds(one)] if "anyOf" in whole else [whole]
        _known[id(schema)] = found
    return found


def _type(kind: dict[str, Any]) -> str:
    """Where one of some words is asked for, any text will do here."""
    return kind.get("type", "string")


def _fits(value: Any, kind: dict[str, Any]) -> bool:
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
            # Of several objects the one meant is the one that has the members that are needed.
            return isinstance(value, dict) and (kind.get("required") != ["files"] or "files" in value)
        case _:
            return value is None


def _is_whole_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _meant(schema: dict[str, Any]) -> str:
    said = dict.fromkeys(WORDS[_type(kind)] for kind in _kinds(schema))
    return " or ".join(word for word in said if word != "null") or "null"
