"""A draft that was never submitted, thrown away with what was said of it; its bytes lie in drop boxes again."""

from sqlalchemy import delete, select, update

from portal import db, errors, states
from portal.domain.files import belonging
from portal.domain.shared import history, transitions
from portal.messages import say
from portal.models import Account, Component, ComponentFile, ComponentRef, Dataset, Delivery, File


def discard(dataset: Dataset, *, actor: Account) -> None:
    """Remove a draft that was never submitted; what was uploaded for it lies in the area again."""
    if not transitions.roles_of(actor, dataset) & {states.SUBMITTER}:
        raise errors.Forbidden(say("discard_by_submitter", "Only its submitter may discard a draft."))
    if dataset.state != states.DRAFT:
        text = "This dataset is {state}; only a draft that was never submitted is discarded."
        raise errors.Conflict(say("discard_only_draft", text, state=dataset.state))
    history.record("discard", actor=actor, dataset=dataset, before={"title": dataset.title})
    _remove_components(dataset)
    belonging.give_all_back(dataset)
    db.change(delete(File).where(File.dataset_id == dataset.id))
    db.session.delete(dataset)
    db.session.flush()


def _remove_components(dataset: Dataset) -> None:
    """Remove the components of a draft that is discarded; receipts of what was sent stay."""
    mine = select(Component.id).where(Component.dataset_id == dataset.id)
    others = (
        select(Component.accession)
        .join(ComponentRef, ComponentRef.component_id == Component.id)
        .where(ComponentRef.ref_id.in_(mine), Component.dataset_id != dataset.id)
    )
    if other := db.session.scalars(others.limit(1)).first():
        text = "{accession} of another dataset refers to it, so it stays."
        raise errors.Conflict(say("discard_referred_to", text, accession=other))
    for model in (ComponentRef, ComponentFile):
        db.change(delete(model).where(model.component_id.in_(mine)))
    db.change(delete(Component).where(Component.dataset_id == dataset.id))
    db.change(update(Delivery).where(Delivery.dataset_id == dataset.id).values(dataset_id=None))
