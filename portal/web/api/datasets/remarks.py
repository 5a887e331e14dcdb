"""The remarks on a dataset by API: read and written by its submitter and the curators, as on the pages."""

from typing import Any

from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.datasets import remarks
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Remark
from portal.web import permissions
from portal.web.api import documents
from portal.web.api.blueprint import body, bp, described, limit, listing, number
from portal.web.permissions import dataset_or_404


@bp.get("/datasets/<ref>/remarks")
@described(answer="Remark", lists=True)
def list_remarks(ref: str) -> ResponseReturnValue:
    """What submitter and curators said about a dataset, oldest first. Private ones are listed to curators only."""
    actor = permissions.account()
    dataset = dataset_or_404(ref, "discuss")
    query = remarks.visible(dataset, actor).where(Remark.id > number("after", 0)).limit(limit() + 1)
    return listing(list(db.session.scalars(query).unique()), document, lambda remark: remark.id)


@bp.post("/datasets/<ref>/remarks")
@described(body="RemarkFields", answer="Remark", status=201)
def add_remark(ref: str) -> ResponseReturnValue:
    """Say something about a dataset, one of its sections or files, or answer a remark. `private`: curators only."""
    actor, given = permissions.account(), body()
    dataset = dataset_or_404(ref, "discuss")
    with db.transaction():
        remark = remarks.add(
            dataset,
            str(given.get("text") or ""),
            actor=actor,
            public=not given.get("private"),
            section=str(given.get("section") or "whole"),
            file=given.get("file"),
            answers=given.get("answers"),
        )
    return document(remark), 201


@bp.patch("/datasets/<ref>/remarks/<int:n>")
@described(body="RemarkState", answer="Remark")
def change_remark(ref: str, n: int) -> ResponseReturnValue:
    """Mark a remark as done, or open it again."""
    actor, given = permissions.account(), body()
    dataset = dataset_or_404(ref, "discuss")
    if given.get("done") is None:
        raise errors.Invalid(fields={"done": say("true_or_false", "true or false.")})
    with db.transaction():
        remark = remarks.set_done(dataset, remarks.find(dataset, n, actor=actor), done=given["done"], actor=actor)
    return document(remark)


def document(remark: Remark) -> dict[str, Any]:
    return {
        "id": remark.id,
        "at": documents.moment(remark.created_at),
        "author": remark.account.name,
        "role": "submitter" if access.may_edit(remark.dataset, remark.account) else "curator",
        "section": remark.section,
        "file": remark.file.n if remark.file else None,
        "text": remark.text,
        "private": not remark.public,
        "turn": remark.turn or None,
        "version": remark.version,
        "answers": remark.answers_id,
        "done": remark.done_at is not None,
    }
