"""The guard: moves a row by compare-and-swap along states.py, or says why not."""

from typing import Any

from sqlalchemy import update

from portal import clock, db, errors, states
from portal.models import Account, Dataset


def roles_of(actor: Account | None, dataset: Dataset) -> set[str]:
    """The roles an actor has towards a dataset; None is the system."""
    if actor is None:
        return {states.SYSTEM}
    roles = set()
    if actor.role == "curator":
        roles.add(states.CURATOR)
    if actor.id == dataset.account_id:
        roles.add(states.SUBMITTER)
    return roles


def available(dataset: Dataset, *, actor: Account | None) -> list[states.Move]:
    """The moves open to this actor now, as the page shows them."""
    return states.DATASET.available(dataset.state, roles_of(actor, dataset))


def advance(dataset: Dataset, action: str, *, actor: Account | None, **values: Any) -> states.Move:
    """Move a dataset, setting `values` with it. Raises Forbidden or Conflict; the row is re-read afterwards."""
    move = states.DATASET.find(action)
    if move is None:
        raise errors.Invalid(f"There is no action {action!r}.")
    if not roles_of(actor, dataset) & set(move.by):
        raise errors.Forbidden(f"Only {' or '.join(move.by)} may {action} this dataset.")
    if dataset.state not in move.sources:
        raise errors.Conflict(
            f"This dataset is {dataset.state}; {action} starts from {' or '.join(move.sources)}.", state=dataset.state
        )
    swap = update(Dataset).where(Dataset.id == dataset.id, Dataset.state == dataset.state)
    if db.change(swap.values(state=move.target, updated_at=clock.now(), **values)) != 1:
        raise errors.Conflict("Somebody else was faster. Look at the dataset again.")
    db.session.refresh(dataset)
    return move
