"""Requests for controlled data, their grants, and the terms they are asked under."""

from portal import states
from portal.web.api.schemas.kinds import (
    MAYBE_TEXT,
    MAYBE_WHOLE,
    TEXT,
    TEXTS,
    WHOLE,
    YES,
    Schema,
    either,
    maybe,
    some,
    takes,
    thing,
)

REQUEST_TEXTS = {"purpose": TEXT, "institution": TEXT, "principal_investigator": TEXT, "ethics": TEXT}
ANSWER = thing({"question": TEXT, "answer": TEXT})
QUESTION = thing({"text": TEXT, "needed": YES})
SCHEMAS: dict[str, Schema] = {
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
}
