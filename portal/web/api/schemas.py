"""What calls take and answer, as JSON Schema: the OpenAPI document shows it, and every body is held to it."""

from typing import Any

from portal import states
from portal.domain.accounts.centers import REALMS
from portal.inspection import TYPES
from portal.models.reviews import SECTIONS

TEXT, WHOLE, YES, NULL = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "null"}
DAY, COLOR = {"type": "string", "format": "date"}, {"enum": ["green", "grey", "red"]}
REALM = {"enum": ["open", "protected"]}
# Where a body may be several kinds of object: this kind is meant when the body has the member named here.
CHOSEN_BY = "x-chosen-by"


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def either(*kinds: dict) -> dict:
    return {"anyOf": list(kinds)}


def maybe(kind: dict) -> dict:
    return either(kind, NULL)


def some(kind: dict) -> dict:
    return {"type": "array", "items": kind}


def thing(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    found = {"type": "object", "properties": properties}
    return found | {"required": list(required)} if required else found


def takes(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """A body: null is as good as empty, except where something must be said."""
    return thing({name: kind if name in required else maybe(kind) for name, kind in properties.items()}, *required)


MAYBE_TEXT, MAYBE_WHOLE, TEXTS = maybe(TEXT), maybe(WHOLE), some(TEXT)
FILE_TEXTS = {
    "name": TEXT,
    "title": TEXT,
    "description": TEXT,
    "data_type": TEXT,
    "unit": {"enum": ["samples", "files"]},
}
FILE_FIELDS = FILE_TEXTS | {"md5": TEXT, "declared_md5": TEXT, "samples": either(WHOLE, TEXT)}
DATASET_TEXTS = {
    "title": TEXT,
    "description": TEXT,
    "species": TEXT,
    "access": {"enum": ["open", "controlled"]},
    "data_type": TEXT,
    "bioproject": TEXT,
    "filing_number": TEXT,
    "investigator": TEXT,
    "human": YES,
}
FILES_GIVEN = either(some(ref("FileFields")), ref("FileFields"))
BRIEF = {
    "id": WHOLE,
    "accession": MAYBE_TEXT,
    "state": {"enum": list(states.DATASET.states)},
    "status": {"enum": sorted(set(states.STATUS.values()))},
    "version": WHOLE,
    "title": TEXT,
    "access": DATASET_TEXTS["access"],
    "release_date": maybe(DAY),
    "updated": TEXT,
    "url": TEXT,
}
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
QUOTA = {
    **{realm: thing({"used": WHOLE, "quota": MAYBE_WHOLE, "own": YES}) for realm in REALMS},
    "asked": maybe(thing({"at": TEXT, "note": TEXT})),
}
LINK = {
    "id": WHOLE,
    "label": TEXT,
    "anonymised": YES,
    "created": TEXT,
    "expires": MAYBE_TEXT,
    "state": {"enum": ["live", "expired", "revoked", "released"]},
    "views": WHOLE,
    "last_view": MAYBE_TEXT,
}
REQUEST_TEXTS = {"purpose": TEXT, "institution": TEXT, "principal_investigator": TEXT, "ethics": TEXT}
ANSWER = thing({"question": TEXT, "answer": TEXT})
QUESTION = thing({"text": TEXT, "needed": YES})
WEBHOOK = {
    "id": WHOLE,
    "address": TEXT,
    "label": TEXT,
    "state": {"enum": list(states.WEBHOOK.states)},
    "why": TEXT,
    "last_event": WHOLE,
    "delivered": MAYBE_TEXT,
    "attempts": WHOLE,
    "failing_since": MAYBE_TEXT,
    "next_attempt": MAYBE_TEXT,
    "created": TEXT,
}
TAKEN = {
    "FileFields": takes(FILE_FIELDS, "name"),
    "FileChanges": takes(FILE_FIELDS),
    "Files": either(thing({"files": FILES_GIVEN}, "files") | {CHOSEN_BY: "files"}, *FILES_GIVEN["anyOf"]),
    "DatasetFields": takes(
        {**DATASET_TEXTS, "release_date": DAY, "template": either(TEXT, WHOLE), "files": FILES_GIVEN}
    ),
    "Replacement": takes({"name": TEXT, "md5": TEXT}),
    "Receipt": takes({"received": DAY, "note": TEXT}, "received"),
    "QuotaFields": takes({"note": TEXT}, "note"),
    "CenterFields": takes({"name": TEXT, "quota_gib": takes(dict.fromkeys(REALMS, WHOLE))}),
    "FromTo": takes({"from": TEXT, "to": TEXT}, "from", "to"),
    "Removal": takes({"path": TEXT, "folder": YES}, "path"),
    "UploadName": takes({"name": TEXT}, "name"),
    "RemarkFields": takes(
        {"text": TEXT, "section": {"enum": list(SECTIONS)}, "file": WHOLE, "private": YES, "answers": WHOLE}, "text"
    ),
    "RemarkState": takes({"done": YES}, "done"),
    "LinkFields": takes({"label": TEXT, "expires": DAY, "anonymised": YES}),
    "PublicationFields": takes({"publication": TEXT, "title": TEXT}, "publication"),
    "RequestFields": takes(
        {
            **REQUEST_TEXTS,
            "answers": some(maybe(either(TEXT, ANSWER))),
            "dataset": either(TEXT, WHOLE),
            "agreement": TEXT,
            "terms": WHOLE,
            "note": TEXT,
            "draft": YES,
        }
    ),
    "RequestAction": takes({"note": TEXT, "from": TEXT, "until": TEXT, "files": some(WHOLE), "version": WHOLE}),
    "RequestMessageFields": takes({"text": TEXT, "private": YES}, "text"),
    "TermsFields": takes(
        {
            "agreement": TEXT,
            "uses": TEXTS,
            "questions": some(either(TEXT, QUESTION)),
            "longest_days": WHOLE,
            "committee": TEXT,
        }
    ),
    "DeciderFields": takes({"email": TEXT}, "email"),
    "Action": takes({"note": TEXT, "version": WHOLE}),
    "WebhookFields": takes({"address": {"type": "string", "format": "uri"}, "label": TEXT}, "address"),
}
ANSWERED = {
    "DatasetBrief": thing(BRIEF),
    "Dataset": thing(
        {
            **BRIEF,
            **DATASET_TEXTS,
            "taxon_id": MAYBE_WHOLE,
            "realm": REALM,
            "approved_version": MAYBE_WHOLE,
            "center": TEXT,
            "submitter": TEXT,
            "created": TEXT,
            "submitted": MAYBE_TEXT,
            "released": MAYBE_TEXT,
            "files": some(ref("File")),
            "files_next": MAYBE_TEXT,
            "actions": TEXTS,
        }
    ),
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
            "fixity": maybe({"enum": ["ok", "bad", "unknown"]}),
        }
    ),
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
    "Usage": thing(
        {
            realm: thing({"used": WHOLE, "quota": MAYBE_WHOLE, "center_used": WHOLE, "center_quota": MAYBE_WHOLE})
            for realm in REALMS
        }
    ),
    "Changed": thing({"files": WHOLE}),
    "Quota": thing(QUOTA),
    "Center": thing({"id": WHOLE, "name": TEXT, "people": WHOLE, "datasets": WHOLE, **QUOTA}),
    "Found": thing(
        {
            **BRIEF,
            "description": TEXT,
            "species": TEXT,
            "taxon_id": MAYBE_WHOLE,
            "data_type": TEXT,
            "bioproject": TEXT,
            "investigator": TEXT,
            "center": TEXT,
            "released": TEXT,
            "files": WHOLE,
            "size": WHOLE,
        }
    ),
    "DueRelease": thing(
        {**BRIEF, "cause": maybe({"enum": ["asked", "publication", "date"]}), "obstacles": TEXTS, "opens": YES}
    ),
    "HistoryEntry": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "action": TEXT,
            "by": MAYBE_TEXT,
            "note": TEXT,
            "changes": some(thing({"what": TEXT, "before": TEXT, "after": TEXT, "file": MAYBE_WHOLE})),
        }
    ),
    "Remark": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "author": TEXT,
            "role": {"enum": ["submitter", "curator"]},
            "section": {"enum": list(SECTIONS)},
            "file": MAYBE_WHOLE,
            "text": TEXT,
            "private": YES,
            "turn": MAYBE_TEXT,
            "version": WHOLE,
            "answers": MAYBE_WHOLE,
            "done": YES,
        }
    ),
    "DigestComparison": thing(
        {
            "applied": YES,
            "same": TEXTS,
            "missing": TEXTS,
            "changed": some(thing({"number": WHOLE, "name": TEXT, "md5": TEXT, "before": MAYBE_TEXT})),
            "extra": some(thing({"name": TEXT, "md5": TEXT, "line": WHOLE})),
            "refused": some(thing({"name": TEXT, "detail": TEXT})),
            "faults": some(thing({"line": WHOLE, "detail": TEXT})),
        }
    ),
    "Link": thing(LINK),
    "NewLink": thing({**LINK, "url": TEXT}),
    "Publication": thing(
        {
            "id": WHOLE,
            "kind": {"enum": ["doi", "pmid"]},
            "value": TEXT,
            "title": TEXT,
            "source": {"enum": ["person", "list", "watcher"]},
            "recorded": TEXT,
            "url": TEXT,
        }
    ),
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
    "Request": thing(
        {
            **REQUEST_TEXTS,
            "id": WHOLE,
            "dataset": TEXT,
            "state": {"enum": list(states.REQUEST.states)},
            "version": WHOLE,
            "requester": thing({"name": TEXT, "email": TEXT}),
            "answers": some(ANSWER),
            "agreement": TEXT,
            "terms": MAYBE_WHOLE,
            "letter": MAYBE_TEXT,
            "asked": MAYBE_TEXT,
            "decided": MAYBE_TEXT,
            "ended": MAYBE_TEXT,
            "decided_by": MAYBE_TEXT,
            "renewal_asked": MAYBE_TEXT,
            "actions": TEXTS,
            "url": TEXT,
            "grant": maybe(thing({"from": MAYBE_TEXT, "until": TEXT, "open": YES, "files": maybe(some(WHOLE))})),
            "messages": some(
                thing({"at": TEXT, "author": MAYBE_TEXT, "turn": MAYBE_TEXT, "private": YES, "text": TEXT})
            ),
        }
    ),
    "Download": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "name": TEXT,
            "via": {"enum": ["http", "zip", "ftp"]},
            "address": TEXT,
            "offset": WHOLE,
            "bytes": WHOLE,
            "whole": YES,
        }
    ),
    "Statement": thing({"statement": {"type": "object"}, "protected": TEXT, "payload": TEXT, "signature": TEXT}),
    "Terms": thing(
        {
            "id": WHOLE,
            "version": WHOLE,
            "own": YES,
            "since": TEXT,
            "agreement": TEXT,
            "uses": TEXTS,
            "questions": some(QUESTION),
            "longest_days": WHOLE,
            "committee": MAYBE_TEXT,
            "deciders": some(thing({"id": WHOLE, "name": TEXT, "email": TEXT})),
        }
    ),
    "Webhook": thing(WEBHOOK),
    "NewWebhook": thing({**WEBHOOK, "secret": TEXT}),
    "WebhookTry": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "message": TEXT,
            "action": TEXT,
            "event": MAYBE_WHOLE,
            "status": MAYBE_WHOLE,
            "says": TEXT,
            "took_ms": WHOLE,
        }
    ),
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
    "Event": thing(
        {
            "id": WHOLE,
            "at": TEXT,
            "action": TEXT,
            "actor": MAYBE_WHOLE,
            "dataset": MAYBE_WHOLE,
            "file": MAYBE_WHOLE,
            "upload": MAYBE_WHOLE,
            "before": maybe({"type": "object"}),
            "after": maybe({"type": "object"}),
            "note": TEXT,
        }
    ),
    "Problem": thing(
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
    ),
}
SCHEMAS = TAKEN | ANSWERED
