"""Datasets: what is declared of one, its history, remarks, links and papers."""

from portal import states
from portal.domain.datasets import failed_work
from portal.models.reviews import SECTIONS
from portal.web.api.schemas.files import FILES_GIVEN
from portal.web.api.schemas.kinds import (
    DAY,
    MAYBE_TEXT,
    MAYBE_WHOLE,
    REALM,
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
SCHEMAS: dict[str, Schema] = {
    "DatasetFields": takes(
        {**DATASET_TEXTS, "release_date": DAY, "template": either(TEXT, WHOLE), "files": FILES_GIVEN}
    ),
    "Action": takes({"note": TEXT, "version": WHOLE}),
    "RemarkFields": takes(
        {"text": TEXT, "section": {"enum": list(SECTIONS)}, "file": WHOLE, "private": YES, "answers": WHOLE}, "text"
    ),
    "RemarkState": takes({"done": YES}, "done"),
    "LinkFields": takes({"label": TEXT, "expires": DAY, "anonymised": YES}),
    "PublicationFields": takes({"publication": TEXT, "title": TEXT}, "publication"),
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
            "failed_work": some(ref("FailedWork")),
            "author_traces": TEXTS,
        }
    ),
    "FailedWork": thing(
        {"job": WHOLE, "kind": {"enum": sorted(failed_work.KINDS)}, "cause": TEXT, "says": TEXT, "since": TEXT}
    ),
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
    "Link": thing(LINK),
    "Invitation": takes({"email": TEXT}, "email"),
    "Editor": thing({"id": WHOLE, "email": TEXT, "name": MAYBE_TEXT, "invited": TEXT, "accepted": MAYBE_TEXT}),
    "Invited": thing({"id": WHOLE, "title": TEXT, "by": TEXT, "invited": TEXT}),
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
}
