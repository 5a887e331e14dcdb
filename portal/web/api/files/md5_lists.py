"""md5sum lists by API."""

from flask import request

from portal import db, errors
from portal.domain.files import md5_lists
from portal.web import permissions
from portal.web.api.blueprint import LARGEST_BODY, bp, described
from portal.web.permissions import dataset_or_404


@bp.post("/datasets/<ref>/digests")
@described(answer="DigestComparison", takes=("text/plain",))
def add_digests(ref: str):
    """Compare an md5sum list (the body, as text) with the files of a dataset; ?apply=1 declares the MD5s, ?add=1 also
    declares the names that are new."""
    actor = permissions.account()
    dataset = dataset_or_404(ref, "edit")
    request.max_content_length = LARGEST_BODY
    try:
        text = request.get_data().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.Invalid("The list is text in UTF-8.") from None
    add = request.args.get("add") == "1"
    if not add and request.args.get("apply") != "1":
        return document(md5_lists.compare(dataset, text), applied=False)
    with db.transaction():
        found = md5_lists.apply(dataset, text, actor=actor, add=add)
    return document(found, applied=True)


def document(found: md5_lists.Comparison, *, applied: bool) -> dict:
    return {
        "applied": applied,
        "changed": [{"number": one.n, "name": one.name, "md5": one.md5, "before": one.before} for one in found.changed],
        "same": [one.name for one in found.same],
        "missing": found.missing,
        "extra": [{"name": one.name, "md5": one.md5, "line": one.line} for one in found.extra],
        "refused": [{"name": name, "detail": sentence} for name, sentence in found.refused],
        "faults": [{"line": line, "detail": sentence} for line, sentence in found.faults],
    }
