"""Who may see, edit, review and download a dataset. Existence is not leaked: whoever may not see it finds nothing."""

from sqlalchemy import select

from portal import db, errors, states
from portal.models import Account, Dataset

PUBLIC = (states.RELEASED, states.SUPPRESSED)


def is_curator(actor: Account | None) -> bool:
    return actor is not None and actor.role == "curator"


def is_owner(dataset: Dataset, actor: Account | None) -> bool:
    return actor is not None and actor.id == dataset.account_id


def may_see(dataset: Dataset, actor: Account | None) -> bool:
    """Public once released; before that its submitter, and curators from the first submit on."""
    if dataset.state in PUBLIC or (dataset.state == states.WITHDRAWN and dataset.released_at):
        return True
    return is_owner(dataset, actor) or (is_curator(actor) and dataset.accession is not None)


def may_edit(dataset: Dataset, actor: Account | None) -> bool:
    return is_owner(dataset, actor)


def may_review(dataset: Dataset, actor: Account | None) -> bool:
    return is_curator(actor) and dataset.accession is not None


def may_discuss(dataset: Dataset, actor: Account | None) -> bool:
    """The thread of remarks: its submitter and curators."""
    return is_owner(dataset, actor) or may_review(dataset, actor)


def may_download(dataset: Dataset, actor: Account | None) -> bool:
    """Bytes: of a public open dataset to all; else to its submitter and to curators."""
    if dataset.state == states.WITHDRAWN:
        return False
    if dataset.state in PUBLIC and dataset.access == "open":
        return True
    return is_owner(dataset, actor) or may_review(dataset, actor)


RIGHTS = {"see": may_see, "edit": may_edit, "review": may_review, "discuss": may_discuss}


def load(ref: int | str, *, actor: Account | None, right: str = "see") -> Dataset:
    """A dataset by id or accession for an actor with a right. Raises NotFound, Forbidden, SignInNeeded or Gone."""
    text = str(ref)
    column = Dataset.id == int(text) if text.isdecimal() and len(text) < 19 else Dataset.accession == text.upper()
    dataset = db.session.scalar(select(Dataset).where(column))
    if dataset is None or not may_see(dataset, actor):
        raise errors.NotFound("There is no dataset of this name, or it is not released yet.")
    if not RIGHTS[right](dataset, actor):
        raise errors.SignInNeeded() if actor is None else errors.Forbidden("Only its submitter may do this.")
    return dataset
