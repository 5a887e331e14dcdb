"""The terms of controlled datasets by API, and who decides."""

from typing import Any

from flask.typing import ResponseReturnValue

from portal import db
from portal.domain.access_requests import terms
from portal.domain.accounts import rate_limit
from portal.models import Dataset, Terms
from portal.web import permissions, session
from portal.web.api.blueprint import body, bp, described
from portal.web.api.documents import moment
from portal.web.permissions import dataset_or_404


def settable(ref: str) -> Dataset:
    dataset = dataset_or_404(ref)
    terms.require_setter(dataset, permissions.account())
    return dataset


def document(dataset: Dataset, chosen: Terms) -> dict[str, Any]:
    """What holds for a dataset; who decides is told by name to those who set it."""
    values = {
        "id": chosen.id,
        "version": chosen.version,
        "own": chosen.dataset_id is not None,
        "agreement": chosen.agreement,
        "uses": chosen.uses,
        "questions": chosen.questions,
        "longest_days": chosen.longest_days,
        "since": moment(chosen.created_at),
        "committee": terms.committee(dataset) or None,
    }
    if terms.may_set(dataset, session.actor()):
        people = [
            {"id": member.account_id, "name": member.account.name, "email": member.account.email}
            for member in terms.members(dataset)
        ]
        values["deciders"] = people
    return values


@bp.get("/datasets/<ref>/terms")
@described(answer="Terms")
def show_terms(ref: str) -> dict[str, Any]:
    """What a requester agrees to. `id` is what `terms` of a request names."""
    dataset = dataset_or_404(ref)
    return document(dataset, terms.of(dataset))


@bp.put("/datasets/<ref>/terms")
@described(body="TermsFields", answer="Terms")
def write_terms(ref: str) -> dict[str, Any]:
    """A new version: {agreement, uses, questions, longest_days, committee}; what is not named stays."""
    dataset, given = settable(ref), body()
    fields = {name: given[name] for name in terms.RULES if name in given}
    with db.transaction():
        new = terms.write(dataset, fields, actor=permissions.account())
        if "committee" in given:
            terms.set_committee(dataset, str(given["committee"] or ""), actor=permissions.account())
    return document(dataset, new)


@bp.post("/datasets/<ref>/deciders")
@described(body="DeciderFields", answer="Terms", status=201)
def make_decider(ref: str) -> ResponseReturnValue:
    """Let somebody with an account decide too: {email}."""
    dataset, given = settable(ref), body()
    with rate_limit.guessing("decider", permissions.account().id), db.transaction():
        terms.add_decider(dataset, str(given.get("email") or ""), actor=permissions.account())
    return document(dataset, terms.of(dataset)), 201


@bp.delete("/datasets/<ref>/deciders/<int:account_id>")
@described(status=204)
def drop_decider(ref: str, account_id: int) -> ResponseReturnValue:
    """Somebody decides no more."""
    dataset = settable(ref)
    with db.transaction():
        terms.remove_decider(dataset, account_id, actor=permissions.account())
    return "", 204
