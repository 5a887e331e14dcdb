"""The one place that writes a `state`: by compare-and-swap along the tables of portal/states, or it says why not.

One loaded row: transition(). Many rows: transition_all() with a condition, transition_each() with parameters for each.
Each is one UPDATE. What refuses or records the move besides is up to the caller.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, literal, or_, update
from sqlalchemy.orm.attributes import set_committed_value

from portal import clock, db, errors, states
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Account, Component, Dataset, File, Job, Mail, Request, Upload, Webhook

Row = Dataset | Upload | File | Job | Component | Request | Webhook | Account | Mail
_MACHINES = {machine.name: machine for machine in states.MACHINES}


def transition(row: Row, action: str, *where: ColumnElement[bool], **values: object) -> states.Move:
    """Move a loaded row from the state that it shows, where the conditions `where` still hold, and set `values` (plain
    ones) with it; the row shows all of it afterwards. Raises Conflict when the action does not start there, or when
    somebody else was faster."""
    model: type[Row] = type(row)
    move = _move(model, action)
    if row.state not in move.sources:
        raise errors.Conflict(
            say(
                "not_from_here",
                "This {thing} is {state}; {action} starts from {sources}.",
                thing=model.__tablename__,
                state=row.state,
                action=action,
                sources=" or ".join(move.sources),
            ),
            state=row.state,
        )
    swap = update(model).where(model.id == row.id, model.state == row.state, *where)
    values["state"] = move.target
    if db.change(swap.values(**values)) != 1:
        raise errors.Conflict(
            say(
                "somebody_was_faster",
                "Somebody else was faster. Look at the {thing} again.",
                thing=model.__tablename__,
            )
        )
    for name, value in values.items():
        set_committed_value(row, name, value)
    return move


def transition_all(
    model: type[Row], action: str | Mapping[str, ColumnElement[bool]], *where: ColumnElement[bool], **values: object
) -> int:
    """Move all rows that `where` chooses and that stand where the action starts; returns how many moved. Loaded rows
    are not touched. Several actions, each with its own condition and starting elsewhere, go as one statement too."""
    return db.change(_update(model, action, where).values(**values))


def transition_each(
    model: type[Row], action: str, rows: Sequence[Mapping[str, object]], *where: ColumnElement[bool], **values: object
) -> None:
    """Move the row of each `id` in `rows`, if it stands where the action starts: one statement, run with the other
    members of each as parameters of `where` and `values`."""
    if not rows:
        return
    db.session.flush()
    move = _move(model, action)
    stands = or_(*(model.state == source for source in move.sources))  # IN takes no run for many
    statement = update(model).where(model.id == bindparam("row_id"), *where, stands).values(state=move.target, **values)
    parameters = [{"row_id" if name == "id" else name: value for name, value in row.items()} for row in rows]
    db.session.connection().execute(statement, parameters)


def _move(model: type[Row], action: str) -> states.Move:
    move = _MACHINES[model.__tablename__].find(action)
    if move is None:
        raise errors.Invalid(say("no_such_action", "There is no action {action!r}.", action=action))
    return move


def _update(
    model: type[Row], action: str | Mapping[str, ColumnElement[bool]], where: tuple[ColumnElement[bool], ...]
) -> Update:
    if isinstance(action, str):
        move = _move(model, action)
        return update(model).where(*where, model.state.in_(move.sources)).values(state=move.target)
    moves = [(_move(model, name), condition) for name, condition in action.items()]
    starts = [state for move, _condition in moves for state in move.sources]
    assert len(set(starts)) == len(starts), "two of these actions start from one state"
    chosen = or_(*(and_(model.state.in_(move.sources), condition) for move, condition in moves))
    target = case(*((model.state.in_(move.sources), literal(move.target)) for move, _condition in moves))
    return update(model).where(*where, chosen).values(state=target)


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


def advance(dataset: Dataset, action: str, *, actor: Account | None, **values: object) -> states.Move:
    """transition() of a dataset by somebody who may. Raises Forbidden or Conflict."""
    move = _move(Dataset, action)
    roles = roles_of(actor, dataset)
    if states.CO_SUBMITTER in move.by and access.may_edit(dataset, actor):
        roles.add(states.CO_SUBMITTER)
    if not roles & set(move.by):
        raise errors.Forbidden(
            say(
                "not_by_you",
                "Only {roles} may {action} this dataset.",
                roles=" or ".join(move.by),
                action=action,
            )
        )
    return transition(dataset, action, updated_at=clock.now(), **values)
