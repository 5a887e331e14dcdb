"""Fields that save themselves while one types; a new form becomes a draft with its first field."""

from flask import jsonify, request
from werkzeug.wrappers import Response

from portal import clock, db, errors
from portal.config import settings
from portal.domain.datasets import datasets, drafts
from portal.domain.permissions import access
from portal.messages import Message
from portal.models import Dataset
from portal.web import formats, idempotency, permissions
from portal.web.datasets.blueprint import address, bp, ref


@bp.post("/deposit/<ref>/field")
@permissions.signed_in
def save_field(ref: str) -> Response:
    """One field: {saved, field, value}, with `fault` where it is kept but not valid yet. 409: another window. 422: only
    Save takes it."""
    dataset = permissions.dataset_or_404(ref, "edit")
    try:
        with db.transaction():
            return answer(dataset, _save(dataset))
    except (errors.Conflict, errors.Invalid) as error:
        refusal = jsonify({"fault": error.sentence, "stored": error.more.get("stored")})
        refusal.status_code = error.status
        return refusal


@bp.post("/deposit/new/field")
@permissions.signed_in
def first_field() -> Response:
    """The first field of a new form makes the draft; asked twice, it is the same draft."""
    me, key = permissions.account(), request.form.get("once", "")
    with db.transaction():
        url = idempotency.answered(me, key)
        if url is None:
            dataset = datasets.create(actor=me)
            idempotency.remember(me, key, address(dataset))
        else:
            dataset = access.load(url.rpartition("/")[2], actor=me, right="edit")
        return answer(dataset, _save(dataset))


def _save(dataset: Dataset) -> Message | None:
    form = request.form
    return drafts.save_field(
        dataset, form.get("field", ""), form.get("value", ""), was=form.get("was"), actor=permissions.account()
    )


def answer(dataset: Dataset, fault: Message | None) -> Response:
    now = formats.moment(clock.now(), zone=settings().timezone)
    return jsonify(
        {
            "saved": now.rpartition(" ")[2],
            "fault": str(fault or ""),
            "address": address(dataset),
            "ref": ref(dataset),
            "value": drafts.shown(dataset, request.form.get("field", "")),
            "opens": formats.opens(dataset.release_date, zone=settings().timezone),
        }
    )
