"""The OpenAPI 3.1 document, made from the calls themselves: routes, docstrings and the schemas they name."""

import re
from typing import Any

from flask import current_app
from werkzeug.routing import Rule

from portal import states
from portal.config import settings
from portal.domain import objects
from portal.domain.centers import REALMS
from portal.inspect import TYPES
from portal.models.reviews import SECTIONS
from portal.web.api.blueprint import bp

TEXT, WHOLE, NULL, LIST = {"type": "string"}, {"type": "integer"}, {"type": "null"}, {"type": "array"}
FILE_FIELDS = {
    "name": TEXT, "md5": TEXT, "title": TEXT, "description": TEXT, "data_type": TEXT,
    "samples": WHOLE, "unit": {"enum": ["samples", "files"]},
}  # fmt: skip
DATASET_FIELDS = {
    "title": TEXT, "description": TEXT, "species": TEXT, "access": {"enum": ["open", "controlled"]}, "data_type": TEXT,
    "bioproject": TEXT, "release_date": {"type": "string", "format": "date"}, "filing_number": TEXT,
    "investigator": TEXT, "human": {"type": "boolean"},
}  # fmt: skip


ANSWER_XML = ("api.submit", "api.component_xml")
TAKES_BYTES = ("api.send_upload", "api.changed_since_mine")


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(kind: dict) -> dict:
    return {"anyOf": [kind, NULL]}


def thing(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    found = {"type": "object", "properties": properties}
    return found | {"required": list(required)} if required else found


BRIEF = {
    "id": WHOLE, "accession": maybe(TEXT), "state": {"enum": list(states.DATASET.states)},
    "status": {"enum": sorted(set(states.STATUS.values()))}, "version": WHOLE, "title": TEXT, "access": TEXT,
    "release_date": maybe(TEXT), "updated": TEXT, "url": TEXT,
}  # fmt: skip
QUOTA = {
    **{realm: thing({"used": WHOLE, "quota": maybe(WHOLE), "own": {"type": "boolean"}}) for realm in REALMS},
    "asked": maybe(thing({"at": TEXT, "note": TEXT})),
}
LINK = {
    "id": WHOLE, "label": TEXT, "anonymised": {"type": "boolean"}, "created": TEXT, "expires": maybe(TEXT),
    "state": {"enum": ["live", "expired", "revoked", "released"]}, "views": WHOLE, "last_view": maybe(TEXT),
}  # fmt: skip
REQUEST_FIELDS = {
    "purpose": TEXT, "institution": TEXT, "principal_investigator": TEXT, "ethics": TEXT,
    "answers": {"type": "array", "items": {}},
}  # fmt: skip
TERMS_FIELDS = {
    "agreement": TEXT, "uses": {"type": "array", "items": TEXT}, "questions": {"type": "array", "items": {}},
    "longest_days": WHOLE, "committee": maybe(TEXT),
}  # fmt: skip
WEBHOOK = {
    "id": WHOLE, "address": TEXT, "label": TEXT, "state": {"enum": list(states.WEBHOOK.states)}, "why": TEXT,
    "last_event": WHOLE, "delivered": maybe(TEXT), "attempts": WHOLE, "failing_since": maybe(TEXT),
    "next_attempt": maybe(TEXT), "created": TEXT,
}  # fmt: skip
SCHEMAS = {
    "FileFields": thing(FILE_FIELDS, "name"),
    "DatasetFields": thing({**DATASET_FIELDS, "template": TEXT,
                            "files": {"type": "array", "items": ref("FileFields")}}),
    "DatasetBrief": thing(BRIEF),
    "Dataset": thing({**BRIEF, **DATASET_FIELDS, "taxon_id": maybe(WHOLE),
                      "files": {"type": "array", "items": ref("File")},
                      "files_next": maybe(TEXT), "actions": {"type": "array", "items": TEXT}}),
    "File": thing({**FILE_FIELDS, "number": WHOLE, "accession": maybe(TEXT), "size": maybe(WHOLE),
                   "state": {"enum": list(states.FILE.states)}, "color": {"enum": ["green", "grey", "red"]},
                   "error": maybe(TEXT), "comment": TEXT, "file_type": maybe(TEXT), "file_error": maybe(TEXT),
                   "replaces": maybe(WHOLE),
                   "progress": maybe({"type": "number"})}),
    "Upload": thing({"id": WHOLE, "realm": {"enum": ["open", "protected"]}, "name": TEXT, "size": WHOLE,
                     "md5": maybe(TEXT), "sha256": maybe(TEXT), "state": {"enum": list(states.UPLOAD.states)},
                     "received": maybe(TEXT), "dataset": maybe(TEXT), "file_type": maybe({"enum": list(TYPES)}),
                     "error": maybe(TEXT), "detail": TEXT, "members": maybe(WHOLE), "inspected": maybe(TEXT),
                     "inspection": maybe({"enum": [states.OWED, states.INSPECTED, states.UNCHECKED]})}),
    "Name": thing({"name": TEXT, "fault": TEXT, "suggestion": TEXT}),
    "Member": thing({"number": WHOLE, "name": TEXT, "size": WHOLE, "md5": maybe(TEXT), "error": maybe(TEXT),
                     "file_type": {"enum": list(TYPES)}}),
    "Replacement": thing({"name": TEXT, "md5": TEXT}),
    "AreaEntry": thing({"path": TEXT, "folder": {"type": "boolean"}, "expires": maybe(TEXT)}, "path", "folder"),
    "Usage": thing({realm: thing({"used": WHOLE, "quota": maybe(WHOLE), "center_used": WHOLE,
                                  "center_quota": maybe(WHOLE)}) for realm in ("open", "protected")}),
    "Receipt": thing({"received": {"type": "string", "format": "date"}, "note": TEXT}, "received"),
    "QuotaFields": thing({"note": TEXT}, "note"),
    "Quota": thing(QUOTA),
    "CenterFields": thing({"name": TEXT, "quota_gib": thing(dict.fromkeys(REALMS, maybe(WHOLE)))}),
    "Center": thing({"id": WHOLE, "name": TEXT, "people": WHOLE, "datasets": WHOLE, **QUOTA}),
    "Found": thing({**BRIEF, "description": TEXT, "species": TEXT, "taxon_id": maybe(WHOLE), "data_type": TEXT,
                    "bioproject": TEXT, "investigator": TEXT, "center": TEXT, "released": TEXT, "files": WHOLE,
                    "size": WHOLE}),
    "DueRelease": thing({**BRIEF, "cause": maybe({"enum": ["asked", "publication", "date"]}),
                         "obstacles": {"type": "array", "items": TEXT}, "opens": {"type": "boolean"}}),
    "HistoryEntry": thing({"id": WHOLE, "at": TEXT, "action": TEXT, "by": maybe(TEXT), "note": TEXT,
                           "changes": {"type": "array", "items": thing({"what": TEXT, "before": TEXT, "after": TEXT,
                                                                        "file": maybe(WHOLE)})}}),
    "FromTo": thing({"from": TEXT, "to": TEXT}, "from", "to"),
    "Removal": thing({"path": TEXT, "folder": {"type": "boolean"}}, "path"),
    "Changed": thing({"files": WHOLE}),
    "UploadName": thing({"name": TEXT}, "name"),
    "RemarkFields": thing({"text": TEXT, "section": {"enum": list(SECTIONS)}, "file": WHOLE,
                           "private": {"type": "boolean"}, "answers": WHOLE}, "text"),
    "RemarkState": thing({"done": {"type": "boolean"}}, "done"),
    "Remark": thing({"id": WHOLE, "at": TEXT, "author": TEXT, "role": {"enum": ["submitter", "curator"]},
                     "section": {"enum": list(SECTIONS)}, "file": maybe(WHOLE), "text": TEXT,
                     "private": {"type": "boolean"}, "turn": maybe(TEXT), "version": WHOLE, "answers": maybe(WHOLE),
                     "done": {"type": "boolean"}}),
    "DigestComparison": thing({"applied": {"type": "boolean"}, "changed": LIST, "same": LIST, "missing": LIST,
                               "extra": LIST, "refused": LIST, "faults": LIST}),
    "LinkFields": thing({"label": TEXT, "expires": {"type": "string", "format": "date"},
                         "anonymised": {"type": "boolean"}}),
    "Link": thing(LINK),
    "NewLink": thing({**LINK, "url": TEXT}),
    "PublicationFields": thing({"publication": TEXT, "title": TEXT}, "publication"),
    "Publication": thing({"id": WHOLE, "kind": {"enum": ["doi", "pmid"]}, "value": TEXT, "title": TEXT,
                          "source": {"enum": ["person", "list", "watcher"]}, "recorded": TEXT, "url": TEXT}),
    "Component": thing({"accession": maybe(TEXT), "type": TEXT, "alias": TEXT, "title": TEXT, "center": TEXT,
                        "submission": maybe(TEXT), "dataset": WHOLE, "state": {"enum": list(states.COMPONENT.states)},
                        "color": {"enum": ["green", "grey", "red"]}, "comment": TEXT,
                        "status": {"enum": sorted(set(states.STATUS.values()))}, "md5": maybe(TEXT),
                        "visibility": {"enum": ["public", "controlled"]}, "origin": {"enum": ["form", "xml"]},
                        "received": TEXT, "updated": TEXT, "published": maybe(TEXT), "url": maybe(TEXT),
                        "xml": maybe(TEXT), "references": {"type": "array", "items": TEXT},
                        "files": {"type": "array", "items": thing({"name": TEXT, "number": WHOLE, "state": TEXT,
                                                                   "color": TEXT})}}),
    "RequestFields": thing({**REQUEST_FIELDS, "dataset": TEXT, "agreement": TEXT, "terms": WHOLE, "note": TEXT,
                            "draft": {"type": "boolean"}}),
    "Request": thing({**REQUEST_FIELDS, "id": WHOLE, "dataset": TEXT, "state": {"enum": list(states.REQUEST.states)},
                      "version": WHOLE, "requester": {}, "asked": maybe(TEXT), "decided": maybe(TEXT), "grant": {},
                      "messages": LIST, "actions": {"type": "array", "items": TEXT}, "url": TEXT}),
    "RequestAction": thing({"note": TEXT, "from": TEXT, "until": TEXT, "files": {"type": "array", "items": WHOLE},
                            "version": WHOLE}),
    "RequestMessageFields": thing({"text": TEXT, "private": {"type": "boolean"}}, "text"),
    "Download": thing({"id": WHOLE, "at": TEXT, "name": TEXT, "via": {"enum": ["http", "zip", "ftp"]}, "address": TEXT,
                       "offset": WHOLE, "bytes": WHOLE, "whole": {"type": "boolean"}}),
    "Statement": thing({"statement": {}, "protected": TEXT, "payload": TEXT, "signature": TEXT}),
    "TermsFields": thing(TERMS_FIELDS),
    "Terms": thing({**TERMS_FIELDS, "id": WHOLE, "version": WHOLE, "own": {"type": "boolean"}, "since": TEXT,
                    "deciders": LIST}),
    "DeciderFields": thing({"email": TEXT}, "email"),
    "Action": thing({"note": TEXT, "version": WHOLE}),
    "WebhookFields": thing({"address": {"type": "string", "format": "uri"}, "label": TEXT}, "address"),
    "Webhook": thing(WEBHOOK),
    "NewWebhook": thing({**WEBHOOK, "secret": TEXT}),
    "WebhookTry": thing({"id": WHOLE, "at": TEXT, "message": TEXT, "action": TEXT, "event": maybe(WHOLE),
                         "status": maybe(WHOLE), "says": TEXT, "took_ms": WHOLE}),
    "Report": thing({"name": TEXT, "kind": {"enum": ["files", "metadata", "usage"]}, "realm": maybe(TEXT), "day": TEXT,
                     "full": {"type": "boolean"}, "size": WHOLE, "made": TEXT, "url": TEXT}),
    "Change": thing({"accession": TEXT, "change": {"enum": ["new", "changed", "status", "gone"]},
                     "md5_then": maybe(TEXT), "md5_now": maybe(TEXT), "status_then": maybe(TEXT),
                     "status_now": maybe(TEXT)}),
    "Event": thing({"id": WHOLE, "at": TEXT, "action": TEXT, "dataset": maybe(WHOLE), "upload": maybe(WHOLE),
                    "before": {}, "after": {}, "note": TEXT}),
    "Problem": thing({"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT, "code": TEXT, "help": TEXT,
                      "errors": {"type": "array", "items": thing({"field": TEXT, "detail": TEXT})}}),
}  # fmt: skip


@bp.get("/openapi.json")
def describe():
    """This description."""
    paths: dict[str, dict] = {}
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            address = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
            paths.setdefault(address, {}).update(operations(rule))
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings().site_name} API", "version": "1", "contact": {"email": settings().contact}},
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {name: {"type": "http", "scheme": name} for name in ("bearer", "basic")},
        },
    }


def operations(rule: Rule) -> dict[str, Any]:
    view = current_app.view_functions[rule.endpoint]
    words = " ".join((view.__doc__ or "").split())
    told = getattr(view, "described", {"answer": "", "body": "", "status": 200, "lists": False})
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api."), "summary": words.partition(". ")[0], "description": words,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": TEXT} for name in sorted(rule.arguments)],
        "responses": {str(told["status"]): answer(told), "default": {"description": "A refusal", "content": {
            "application/problem+json": {"schema": ref("Problem")}}}},
    }  # fmt: skip
    if told["body"]:
        operation["requestBody"] = {"content": {"application/json": {"schema": ref(told["body"])}}}
    if rule.endpoint in TAKES_BYTES:
        operation["requestBody"] = {"content": {"application/octet-stream": {"schema": {}}}}
    if rule.endpoint in ANSWER_XML:
        operation["responses"]["200"] = {"description": "XML", "content": {"application/xml": {"schema": TEXT}}}
    if rule.endpoint == "api.submit":
        operation["requestBody"] = {
            "content": {
                "application/xml": {"schema": TEXT},
                "multipart/form-data": {"schema": thing(dict.fromkeys((*objects.ALL, "ACTION", "HOLD_DATE"), TEXT))},
            }
        }
        operation["security"] = [{"bearer": []}, {"basic": []}]
    return {method.lower(): operation for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})}


def answer(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "Done"}
    if told["answer"]:
        one = ref(told["answer"])
        items = {"type": "array", "items": one}
        schema = thing({"items": items, "next": maybe(TEXT)}, "items", "next") if told["lists"] else one
        found["content"] = {"application/json": {"schema": schema}}
    return found
