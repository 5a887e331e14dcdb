"""The people of a dataset by API: its co-submitters, invited by address."""

from typing import Any

from flask.typing import ResponseReturnValue

from portal import db
from portal.domain.accounts import editors
from portal.models import Editor
from portal.web import permissions
from portal.web.api.blueprint import body, bp, described
from portal.web.api.documents import moment
from portal.web.permissions import dataset_or_404


def of_editor(editor: Editor) -> dict[str, Any]:
    return {
        "id": editor.id,
        "email": editor.email,
        "name": editor.account.name if editor.account is not None else None,
        "invited": moment(editor.invited_at),
        "accepted": moment(editor.accepted_at),
    }


@bp.get("/datasets/<ref>/people")
@described(answer="Editor", lists=True)
def list_people(ref: str) -> ResponseReturnValue:
    """Whom the owner invited to edit a dataset and to send into it; `accepted` is null until they do."""
    return {"items": [of_editor(editor) for editor in editors.of(dataset_or_404(ref, "edit"))], "next": None}


@bp.post("/datasets/<ref>/people")
@described(body="Invitation", answer="Editor", status=201)
def invite(ref: str) -> ResponseReturnValue:
    """Invite somebody by their address: {email}. They are mailed, with an account or without. Only the owner may."""
    dataset, given = dataset_or_404(ref, "edit"), body()
    with db.transaction():
        editor = editors.invite(dataset, str(given.get("email") or ""), actor=permissions.account())
    return of_editor(editor), 201


@bp.delete("/datasets/<ref>/people/<int:editor_id>")
@described(status=204)
def remove_editor(ref: str, editor_id: int) -> ResponseReturnValue:
    """Take somebody off, or leave oneself. What they sent for the dataset stays in it."""
    dataset = dataset_or_404(ref, "edit")
    with db.transaction():
        editors.remove(dataset, editor_id, actor=permissions.account())
    return "", 204


@bp.get("/invitations")
@described(answer="Invited", lists=True)
def list_invitations() -> ResponseReturnValue:
    """What I am invited to and have not answered."""
    rows = editors.invitations(permissions.account())
    items = [
        {"id": row.id, "title": row.dataset.title, "by": row.inviter.name, "invited": moment(row.invited_at)}
        for row in rows
    ]
    return {"items": items, "next": None}


@bp.post('/invitations/<int:editor_id>/<any("accept", "decline"):verb>')
@described(status=204)
def answer_invitation(editor_id: int, verb: str) -> ResponseReturnValue:
    """Accept an invitation, or decline it. An accepted dataset is among those of GET /datasets."""
    with db.transaction():
        editors.answer(editor_id, accept=verb == "accept", actor=permissions.account())
    return "", 204
