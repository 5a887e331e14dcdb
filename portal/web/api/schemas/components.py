"""Studies, samples, experiments and runs."""

from portal import states
from portal.web.api.schemas.kinds import COLOR, MAYBE_TEXT, TEXT, TEXTS, WHOLE, Schema, some, thing

SCHEMAS: dict[str, Schema] = {
    "Component": thing(
        {
            "accession": MAYBE_TEXT,
            "type": TEXT,
            "alias": TEXT,
            "title": TEXT,
            "center": TEXT,
            "submission": MAYBE_TEXT,
            "dataset": WHOLE,
            "state": {"enum": list(states.COMPONENT.states)},
            "color": COLOR,
            "comment": TEXT,
            "status": {"enum": sorted(set(states.STATUS.values()))},
            "md5": MAYBE_TEXT,
            "visibility": {"enum": ["public", "controlled"]},
            "origin": {"enum": ["form", "xml"]},
            "received": TEXT,
            "updated": TEXT,
            "published": MAYBE_TEXT,
            "url": MAYBE_TEXT,
            "xml": MAYBE_TEXT,
            "references": TEXTS,
            "files": some(thing({"name": TEXT, "number": WHOLE, "state": TEXT, "color": COLOR})),
        }
    ),
}
