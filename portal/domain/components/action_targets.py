"""Actions of a SUBMISSION on what is here already: HOLD, RELEASE, CANCEL, SUPPRESS of an accession."""

from sqlalchemy import select, update

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.components import components, load
from portal.domain.components.submission_actions import Action
from portal.domain.components.submission_batch import Batch
from portal.domain.datasets import actions, datasets
from portal.domain.files import bulk_edit
from portal.domain.permissions import access
from portal.domain.shared import history
from portal.messages import Message, say
from portal.models import Account, Component, ComponentFile, Dataset, File

NOTE = "Asked for by XML."


def act(batch: Batch) -> None:
    """Do each; one that cannot be done is told of, and the others are done."""
    for action in batch.actions.targets:
        try:
            with db.savepoint():
                batch.held.append(_act(action, batch.actor))
        except errors.DomainError as error:
            batch.faults.append(_refused(action, error))


def _refused(action: Action, error: errors.DomainError) -> Message:
    return say(
        "target_refused", "{action} {target}: {reason}", action=action.word, target=action.target, reason=error.whole
    )


def _act(action: Action, actor: Account) -> tuple[str, str, str | None]:
    seen = access.visible(actor)
    component = db.session.scalar(
        select(Component).join(Component.dataset).where(Component.accession == action.target, seen)
    )
    dataset = (
        component.dataset
        if component
        else db.session.scalar(select(Dataset).where(Dataset.accession == action.target, seen))
    )
    if dataset is None:
        raise errors.NotFound(say("no_such_object", "There is no object of this accession."))
    if not (access.is_owner(dataset, actor) or access.may_review(dataset, actor)):
        raise errors.Forbidden(say("object_not_yours", "It is not yours."))
    whole = component is None or component.type == "SUBMISSION"
    verb = {"HOLD": _hold, "RELEASE": _release, "CANCEL": _cancel, "SUPPRESS": _suppress}[action.word]
    word = verb(action, dataset, None if whole else component, actor)
    return action.target, word, dataset.release_date


def _hold(action: Action, dataset: Dataset, _component: Component | None, actor: Account) -> str:
    """Objects open with their dataset: its day is set."""
    if action.until is None:
        raise errors.Invalid(say("hold_day_missing", "Name the day: HoldUntilDate=…."))
    datasets.edit(dataset, {"release_date": action.until}, actor=actor)
    return "PRIVATE"


def _release(_action: Action, dataset: Dataset, component: Component | None, actor: Account) -> str:
    """Open it as soon as it is approved; a suppressed component is listed again."""
    if component is not None and component.status == "suppressed":
        _mark(dataset, {component.id}, "", actor)
    elif dataset.state == states.APPROVED:
        actions.act(dataset, "release", actor=actor, note=NOTE)
    elif dataset.state != states.RELEASED:
        datasets.edit(dataset, {"release_date": datasets.release_date(clock.today(settings().timezone))}, actor=actor)
    return "PUBLIC" if dataset.state == states.RELEASED else "PRIVATE"


def _cancel(_action: Action, dataset: Dataset, component: Component | None, actor: Account) -> str:
    """Take back what was never public, with all that refers to it."""
    if dataset.released_at:
        raise errors.Conflict(say("object_was_public", "It was public. Use SUPPRESS."))
    if component is None:
        if dataset.state == states.SUBMITTED:
            actions.act(dataset, "recall", actor=actor, note=NOTE)
        if dataset.state == states.DRAFT:
            raise errors.Conflict(say("object_is_draft", "It is a draft: discard it on its page."))
        actions.act(dataset, "withdraw", actor=actor, note=NOTE)
        return "CANCELLED"
    ids = load.dependents({component.id})
    _refuse_others(ids, actor)
    _mark(dataset, ids, "withdrawn", actor)
    named = select(ComponentFile.file_id).where(ComponentFile.component_id.in_(ids))
    still = (
        select(ComponentFile.file_id)
        .join(Component, Component.id == ComponentFile.component_id)
        .where(Component.status != "withdrawn")
    )
    gone = select(File.id).where(File.id.in_(named), File.id.not_in(still), File.state.not_in(states.DEAD_FILES))
    bulk_edit.remove(dataset, list(db.session.scalars(gone)), actor=actor)
    components.recompute_states(dataset)
    return "CANCELLED"


def _refuse_others(ids: set[int], actor: Account) -> None:
    query = (
        select(Component.accession)
        .join(Dataset, Dataset.id == Component.dataset_id)
        .where(Component.id.in_(ids), (Dataset.account_id != actor.id) | Dataset.released_at.is_not(None))
    )
    other: object = db.session.scalar(query.limit(1))
    if other:
        raise errors.Conflict(
            say("object_referred_to", "{other} refers to it and is public or not yours.", other=other)
        )


def _suppress(action: Action, dataset: Dataset, component: Component | None, actor: Account) -> str:
    if not dataset.released_at:
        raise errors.Conflict(say("object_never_public", "It was never public. Use CANCEL."))
    if component is None:
        actions.act(dataset, "suppress", actor=actor, note=NOTE)
    else:
        _mark(dataset, {component.id}, "suppressed", actor)
    return "SUPPRESSED"


def _mark(dataset: Dataset, ids: set[int], status: str, actor: Account) -> None:
    db.change(update(Component).where(Component.id.in_(ids)).values(status=status, updated_at=clock.now()))
    after = {"status": status or "listed", "components": sorted(ids)[:100]}
    history.record("component_status", actor=actor, dataset=dataset, after=after)
    db.session.expire_all()
