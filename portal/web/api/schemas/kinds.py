"""Kinds of values in JSON Schema, of which the schemas of each room are put together."""

from typing import Any

Schema = dict[str, Any]

TEXT, WHOLE, YES, NULL = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "null"}
DAY, COLOR = {"type": "string", "format": "date"}, {"enum": ["green", "grey", "red"]}
# Where a body may be several kinds of object: this kind is meant when the body has the member named here.
CHOSEN_BY = "x-chosen-by"
REALM = {"enum": ["open", "protected"]}


def ref(name: str) -> Schema:
    """A schema that stands elsewhere under this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def either(*kinds: Schema) -> Schema:
    """A value of any of these kinds."""
    return {"anyOf": list(kinds)}


def maybe(kind: Schema) -> Schema:
    """A value of this kind, or null."""
    return either(kind, NULL)


def some(kind: Schema) -> Schema:
    """A list of values of this kind."""
    return {"type": "array", "items": kind}


def thing(properties: Schema, *required: str) -> Schema:
    """An object with these members, of which the named ones must be there."""
    schema: Schema = {"type": "object", "properties": properties}
    return schema | {"required": list(required)} if required else schema


def takes(properties: Schema, *required: str) -> Schema:
    """A body: null is as good as empty, except where something must be said."""
    return thing({name: kind if name in required else maybe(kind) for name, kind in properties.items()}, *required)


MAYBE_TEXT, MAYBE_WHOLE, TEXTS = maybe(TEXT), maybe(WHOLE), some(TEXT)
