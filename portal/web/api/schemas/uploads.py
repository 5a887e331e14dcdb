"""Uploads, and the areas they lie in."""

from portal import states
from portal.inspection import TYPES
from portal.web.api.schemas.kinds import (
    DAY,
    MAYBE_TEXT,
    MAYBE_WHOLE,
    REALM,
    TEXT,
    WHOLE,
    YES,
    Schema,
    maybe,
    takes,
    thing,
)

UPLOAD = {
    "id": WHOLE,
    "realm": REALM,
    "area": {"enum": ["incoming", "test"]},
    "name": TEXT,
    "size": WHOLE,
    "md5": MAYBE_TEXT,
    "sha256": MAYBE_TEXT,
    "state": {"enum": list(states.UPLOAD.states)},
    "received": MAYBE_TEXT,
    "dataset": MAYBE_TEXT,
    "file_type": maybe({"enum": list(TYPES)}),
    "error": MAYBE_TEXT,
    "detail": TEXT,
    "members": MAYBE_WHOLE,
    "inspected": MAYBE_TEXT,
    "replaced_by": MAYBE_WHOLE,
    "inspection": maybe({"enum": [states.OWED, states.INSPECTED, states.UNCHECKED]}),
}
SCHEMAS: dict[str, Schema] = {
    "Replacement": takes({"name": TEXT, "md5": TEXT}),
    "Use": takes({"upload": WHOLE}, "upload"),
    "Receipt": takes({"received": DAY, "note": TEXT}, "received"),
    "FromTo": takes({"from": TEXT, "to": TEXT}, "from", "to"),
    "Removal": takes({"path": TEXT, "folder": YES}, "path"),
    "UploadName": takes({"name": TEXT}, "name"),
    "Upload": thing(UPLOAD),
    "Name": thing({"name": TEXT, "fault": TEXT, "suggestion": TEXT}),
    "Member": thing(
        {
            "number": WHOLE,
            "name": TEXT,
            "size": WHOLE,
            "md5": MAYBE_TEXT,
            "error": MAYBE_TEXT,
            "file_type": {"enum": list(TYPES)},
        }
    ),
    "AreaEntry": thing({"path": TEXT, "folder": YES, "expires": MAYBE_TEXT, **UPLOAD}, "path", "folder"),
    "Changed": thing({"files": WHOLE}),
}
