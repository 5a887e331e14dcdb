"""Reports of a center, and what changed since one."""

from portal.web.api.schemas.kinds import MAYBE_TEXT, REALM, TEXT, WHOLE, YES, Schema, maybe, thing

SCHEMAS: dict[str, Schema] = {
    "Report": thing(
        {
            "name": TEXT,
            "kind": {"enum": ["files", "metadata", "usage"]},
            "realm": maybe(REALM),
            "day": TEXT,
            "full": YES,
            "size": WHOLE,
            "made": TEXT,
            "url": TEXT,
        }
    ),
    "Change": thing(
        {
            "accession": TEXT,
            "change": {"enum": ["new", "changed", "status", "gone"]},
            "md5_then": MAYBE_TEXT,
            "md5_now": MAYBE_TEXT,
            "status_then": MAYBE_TEXT,
            "status_now": MAYBE_TEXT,
        }
    ),
}
