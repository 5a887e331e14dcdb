"""One way in for every action of the life cycle, for forms and programs alike."""

from collections.abc import Callable

from portal import errors, states
from portal.domain.datasets import discard, releases, reviews
from portal.domain.shared import transitions
from portal.messages import Message, say
from portal.models import Account, Dataset

VERBS: dict[str, Callable[..., Dataset]] = {
    "submit": reviews.submit,
    "recall": reviews.recall,
    "return": reviews.return_,
    "approve": reviews.approve,
    "release": releases.request_release,
    "unpublish": releases.unpublish,
    "suppress": releases.suppress,
    "reinstate": releases.reinstate,
    "withdraw": releases.withdraw,
}


def unknown(action: str) -> Message:
    """What is said of an action that is none of the life cycle."""
    return say("action_unknown", "There is no action {action!r}.", action=action)


def act(dataset: Dataset, action: str, *, actor: Account, note: str = "", version: int | None = None) -> Dataset | None:
    """Do one action of states.DATASET. None when the dataset is gone afterwards (discard). `version` is the one that
    was looked at; of a newer one neither approval nor release is taken."""
    if action == "discard":
        discard.discard(dataset, actor=actor)
        return None
    verb = VERBS.get(action)
    if verb is None:
        raise errors.NotFound(unknown(action))
    if action == "approve":
        return reviews.approve(dataset, actor=actor, note=note, version=version)
    if action == "release" and version not in (None, dataset.version):
        text = "It changed meanwhile: version {version} now. Look at it once more before you release it."
        raise errors.Conflict(say("release_overtaken", text, version=dataset.version), version=dataset.version)
    return verb(dataset, actor=actor, note=note)


def offered(dataset: Dataset, *, actor: Account | None) -> list[states.Move]:
    """The moves that a page shows as buttons: open to the actor now, and not a consequence of an edit."""
    moves = [move for move in transitions.available(dataset, actor=actor) if move.word]
    if dataset.released_at and transitions.roles_of(actor, dataset) == {states.SUBMITTER}:
        moves = [move for move in moves if move.action != "withdraw"]
    if actor is not None and any(move.action == "approve" for move in moves):
        # Asked only where it matters: it counts the curators, and a list has a hundred rows.
        moves = [move for move in moves if move.action != "approve" or reviews.may_approve(dataset, actor)]
    return moves
