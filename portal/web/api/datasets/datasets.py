"""Datasets by API: made, read, changed, moved along their life cycle."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.datasets import actions, datasets
from portal.domain.permissions import access
from portal.domain.shared import changes
from portal.messages import say
from portal.models import Dataset, Event
from portal.queries.datasets import api_lists
from portal.web import idempotency, permissions, session
from portal.web.api import documents
from portal.web.api.blueprint import body, bp, described, limit, listing, number, paged
from portal.web.permissions import dataset_or_404


@bp.post("/datasets")
@described(body="DatasetFields", answer="Dataset", status=201)
def create_dataset() -> ResponseReturnValue:
    """Make a draft, with files if given; `template` names an earlier dataset whose texts it
    takes. Human data are controlled where `access` is not given. An Idempotency-Key header makes a
    repeated call answer the first dataset."""
    actor, fields = permissions.account(), body()
    key = request.headers.get("Idempotency-Key", "")
    values = {name: fields[name] for name in datasets.FIELDS if name in fields}
    with db.transaction():
        dataset_id = idempotency.answered(actor, key)
        if dataset_id is None:
            dataset = _create(fields, values)
            dataset_id = str(dataset.id)
            idempotency.remember(actor, key, dataset_id)
    dataset = dataset_or_404(int(dataset_id))
    where = url_for("api.show_dataset", ref=dataset.id, _external=True)
    return documents.whole(dataset, actor), 201, {"Location": where}


def _create(fields: dict[str, Any], values: dict[str, Any]) -> Dataset:
    """A draft of the fields, or of an earlier dataset of one's own with these fields in place of its."""
    actor, named = permissions.account(), rows(fields.get("files"), fields.get("data_type", ""))
    if not fields.get("template"):
        return datasets.create(actor=actor, **values, files=named)
    earlier = dataset_or_404(str(fields["template"]), "edit")
    return datasets.copy(earlier, actor=actor, **values, **({"files": named} if named else {}))


def rows(given: list[dict[str, Any]] | dict[str, Any] | None, data_type: str = "") -> list[dict[str, Any]]:
    """The declared files of a body, one or many; the dataset's data type stands where a file names none."""
    listed: list[dict[str, Any]] = given if isinstance(given, list) else [given] if given else []
    return [row if row.get("data_type") else row | {"data_type": data_type} for row in listed]


@bp.get("/datasets")
@described(answer="DatasetBrief", lists=True)
def list_datasets() -> ResponseReturnValue:
    """My datasets, newest first; for curators all that were submitted. ?state=, ?q= (words of accession, title, species
    or a file's name) and ?needs=1 (mine that go no further before I do something) filter."""
    actor, args = permissions.account(), request.args
    rows_listed = api_lists.datasets(
        actor,
        after=number("after", 0),
        limit=limit() + 1,
        state=args.get("state", ""),
        text=args.get("q", "")[:200],
        needs=args.get("needs") == "1",
    )
    return listing(rows_listed, documents.brief, lambda dataset: dataset.id)


@bp.get("/datasets/<ref>")
@described(answer="Dataset")
def show_dataset(ref: str) -> ResponseReturnValue:
    """One dataset by id or accession. Released ones are open to everybody."""
    dataset = dataset_or_404(ref)
    return documents.whole(dataset, session.actor())


@bp.patch("/datasets/<ref>")
@described(body="DatasetFields", answer="Dataset")
def change_dataset(ref: str) -> ResponseReturnValue:
    """Change fields; those not named stay. A draft that turns `human` turns controlled, unless an access was chosen."""
    actor, fields = permissions.account(), body()
    changes = {name: fields[name] for name in datasets.FIELDS if name in fields}
    dataset = dataset_or_404(ref)
    if not access.may_edit(dataset, actor) and not actor.is_curator:
        raise errors.Forbidden(say("change_by_submitter", "Only its submitter may change this dataset."))
    with db.transaction():
        datasets.edit(dataset, datasets.with_preset(changes, dataset), actor=actor)
    return documents.whole(dataset, actor)


@bp.get("/datasets/<ref>/history")
@described(answer="HistoryEntry", lists=True)
def list_history(ref: str) -> ResponseReturnValue:
    """What was done to a dataset, by whom, and what changed from what to what, newest first. For its submitter and
    for curators."""
    actor, dataset = permissions.account(), dataset_or_404(ref)
    if not documents.sees_all(dataset, actor):
        text = "The history of a dataset is for its submitter and for curators."
        raise errors.Forbidden(say("history_by", text))
    return paged(changes.history(dataset, after=request.args.get("after", ""), limit=limit()), history_entry)


def history_entry(row: tuple[Event, str | None, list[changes.Change]]) -> dict[str, Any]:
    event, name, edits = row
    return {
        "id": event.id,
        "at": documents.moment(event.at),
        "action": event.action,
        "by": name,
        "note": event.note,
        "changes": [change.document() for change in edits],
    }


@bp.post("/datasets/<ref>/actions/<action>")
@described(body="Action", answer="Dataset", also=204)
def act(ref: str, action: str) -> ResponseReturnValue:
    """Any action of the life cycle: submit, recall, return, approve, release, unpublish, suppress, reinstate, withdraw,
    discard. `version` with approve says which version was looked at."""
    actor, given = permissions.account(), body()
    dataset, note = dataset_or_404(ref), given.get("note") or ""
    with db.transaction():
        left = actions.act(dataset, action, actor=actor, note=note, version=given.get("version"))
    return ("", 204) if left is None else documents.whole(left, actor)
