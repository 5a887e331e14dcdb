"""Files of a dataset, and lists of digests."""

from portal import states
from portal.inspection import TYPES
from portal.web.api.schemas.kinds import (
    CHOSEN_BY,
    COLOR,
    MAYBE_TEXT,
    MAYBE_WHOLE,
    TEXT,
    TEXTS,
    WHOLE,
    YES,
    Schema,
    either,
    maybe,
    ref,
    some,
    takes,
    thing,
)

FILE_TEXTS = {
    "name": TEXT,
    "title": TEXT,
    "description": TEXT,
    "data_type": TEXT,
    "unit": {"enum": ["samples", "files"]},
}
FILE_FIELDS = FILE_TEXTS | {"md5": TEXT, "declared_md5": TEXT, "samples": either(WHOLE, TEXT)}
FILES_GIVEN = either(some(ref("FileFields")), ref("FileFields"))
SCHEMAS: dict[str, Schema] = {
    "FileFields": takes(FILE_FIELDS, "name"),
    "FileChanges": takes(FILE_FIELDS),
    "Files": either(thing({"files": FILES_GIVEN}, "files") | {CHOSEN_BY: "files"}, *FILES_GIVEN["anyOf"]),
    "File": thing(
        {
            **FILE_TEXTS,
            "number": WHOLE,
            "accession": MAYBE_TEXT,
            "samples": MAYBE_WHOLE,
            "md5": MAYBE_TEXT,
            "sha256": MAYBE_TEXT,
            "size": MAYBE_WHOLE,
            "state": {"enum": list(states.FILE.states)},
            "color": COLOR,
            "error": MAYBE_TEXT,
            "comment": TEXT,
            "file_type": maybe({"enum": list(TYPES)}),
            "file_error": MAYBE_TEXT,
            "replaces": MAYBE_WHOLE,
            "progress": maybe({"type": "number"}),
            "declared_md5": MAYBE_TEXT,
            "received_md5": MAYBE_TEXT,
            "upload": MAYBE_WHOLE,
            "offers": {"type": "array", "items": WHOLE},
            "fixity": maybe({"enum": ["ok", "bad", "unknown"]}),
        }
    ),
    "DigestComparison": thing(
        {
            "applied": YES,
            "same": TEXTS,
            "missing": TEXTS,
            "changed": some(
                thing({"number": WHOLE, "name": TEXT, "md5": TEXT, "before": MAYBE_TEXT, "arrived": MAYBE_TEXT})
            ),
            "companions": WHOLE,
            "extra": some(thing({"name": TEXT, "md5": TEXT, "line": WHOLE})),
            "refused": some(thing({"name": TEXT, "detail": TEXT})),
            "faults": some(thing({"line": WHOLE, "detail": TEXT})),
        }
    ),
}
