"""What calls take and answer, as JSON Schema: the OpenAPI document shows it, and every body is held to it."""

from portal.web.api.schemas import access_requests, accounts, components, datasets, files, reports, uploads, webhooks
from portal.web.api.schemas.kinds import TEXT, WHOLE, Schema, some, thing

PROBLEM = thing(
    {
        "type": TEXT,
        "title": TEXT,
        "status": WHOLE,
        "detail": TEXT,
        "code": TEXT,
        "help": TEXT,
        "errors": some(thing({"field": TEXT, "detail": TEXT}, "field", "detail")),
    },
    "type",
    "title",
    "status",
    "detail",
    "code",
)
ROOMS = (accounts, datasets, files, uploads, components, access_requests, webhooks, reports)
SCHEMAS: dict[str, Schema] = {name: schema for room in ROOMS for name, schema in room.SCHEMAS.items()} | {
    "Problem": PROBLEM
}
