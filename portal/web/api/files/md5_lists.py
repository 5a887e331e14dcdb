"""md5sum lists by API."""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.files import md5_lists
from portal.messages import say
from portal.web import permissions
from portal.web.api.blueprint import LARGEST_BODY, bp, described
from portal.web.permissions import dataset_or_404


@bp.post("/datasets/<ref>/digests")
@described(answer="DigestComparison", takes=("text/plain",))
def add_digests(ref: str) -> ResponseReturnValue:
    """Compare an md5sum list (the body, as text) with the files of a dataset; ?apply=1 declares the MD5s, ?add=1 also
    declares the names that are new."""
    actor = permissions.account()
    dataset = dataset_or_404(ref, "edit")
    request.max_content_length = LARGEST_BODY
    try:
        text = request.get_data().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.Invalid(say("list_no_utf8", "The list is text in UTF-8.")) from None
    add = request.args.get("add") == "1"
    if not add and request.args.get("apply") != "1":
        return document(md5_lists.compare(dataset, text), applied=False)
    with db.transaction():
        comparison = md5_lists.apply(dataset, text, actor=actor, add=add)
    return document(comparison, applied=True)


def document(comparison: md5_lists.Comparison, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "changed": [
            {
                "number": entry.n,
                "name": entry.name,
                "md5": entry.md5,
                "before": entry.before,
                "arrived": entry.arrived,
            }
            for entry in comparison.changed
        ],
        "same": [entry.name for entry in comparison.same],
        "missing": comparison.missing,
        "extra": [{"name": entry.name, "md5": entry.md5, "line": entry.line} for entry in comparison.extra],
        "companions": comparison.companions,
        "refused": [{"name": name, "detail": str(message)} for name, message in comparison.refused],
        "faults": [{"line": line, "detail": str(message)} for line, message in comparison.faults],
    }
