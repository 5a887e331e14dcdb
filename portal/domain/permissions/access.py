"""Who may see, edit, review and download a dataset. Existence is not leaked: whoever may not see it finds nothing."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal import db, errors, states
from portal.domain.permissions import active_grants
from portal.domain.permissions.active_grants import PUBLIC, Grant
from portal.messages import say
from portal.models import Account, Dataset, Editor

# Submitted at least once: no dataset becomes a draft again. (An accession is no sign: XML gives one to drafts.)
SUBMITTED = Dataset.state != states.DRAFT
NO_DATASET = say("no_dataset", "There is no dataset of this name, or it is not released yet.")
SUBMITTER_ONLY = say("submitter_only", "Only its submitter may do this.")


@dataclass(frozen=True)
class Reach:
    """What somebody may download: all, or under a grant perhaps only chosen files."""

    grant: Grant | None = None

    @property
    def request_id(self) -> int | None:
        """The request whose chosen files bound it."""
        return self.grant.id if self.grant is not None and self.grant.numbers is not None else None

    def covers(self, n: int) -> bool:
        return self.grant is None or self.grant.numbers is None or n in self.grant.numbers


def is_curator(actor: Account | None) -> bool:
    return actor is not None and actor.role == "curator"


def curators() -> list[Account]:
    query = select(Account).where(Account.role == "curator", Account.state == "active").order_by(Account.id)
    return list(db.session.scalars(query).unique())


def is_owner(dataset: Dataset, actor: Account | None) -> bool:
    return actor is not None and actor.id == dataset.account_id


def is_controlled(dataset: Dataset) -> bool:
    """Whether a dataset is released with its text for everybody and its bytes for the granted alone."""
    return dataset.state in PUBLIC and dataset.access == "controlled"


def may_see(dataset: Dataset, actor: Account | None) -> bool:
    """Whether somebody may see a dataset: anybody once it is released; before, its editors, and curators from the
    first submit on."""
    if dataset.state in PUBLIC or (dataset.state == states.WITHDRAWN and dataset.released_at):
        return True
    return may_edit(dataset, actor) or may_review(dataset, actor)


def visible(actor: Account | None) -> ColumnElement[bool]:
    """may_see() as a condition of a query: a dataset that is hidden is not even read, so that its 404 takes no longer
    than that of a dataset that does not exist."""
    shown = [Dataset.state.in_(PUBLIC), and_(Dataset.state == states.WITHDRAWN, Dataset.released_at.is_not(None))]
    if actor is not None:
        shown.append(editable_by(actor.id))
    if is_curator(actor):
        shown.append(SUBMITTED)
    return or_(*shown)


def may_edit(dataset: Dataset, actor: Account | None) -> bool:
    """Whether somebody may change a dataset and send into it: its owner, and whom the owner invited."""
    return is_owner(dataset, actor) or is_co_submitter(dataset, actor)


def is_co_submitter(dataset: Dataset, actor: Account | None) -> bool:
    if actor is None:
        return False
    query = select(Editor.id).where(Editor.dataset_id == dataset.id, Editor.account_id == actor.id)
    return db.session.scalar(query) is not None


def editable_by(
    account_id: int | ColumnElement[int] | InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
) -> ColumnElement[bool]:
    """may_edit() as a condition of a query of datasets: of one account, or of a column that names one."""
    shared = select(Editor.dataset_id).where(Editor.account_id == account_id)
    return or_(Dataset.account_id == account_id, Dataset.id.in_(shared))


def editors(dataset: Dataset) -> list[int]:
    """The ids of the accounts that may edit a dataset and send into it."""
    query = select(Editor.account_id).where(Editor.dataset_id == dataset.id, Editor.account_id.is_not(None))
    return [dataset.account_id, *(account_id for account_id in db.session.scalars(query) if account_id is not None)]


def may_review(dataset: Dataset, actor: Account | None) -> bool:
    return is_curator(actor) and dataset.state != states.DRAFT


def may_discuss(dataset: Dataset, actor: Account | None) -> bool:
    """Whether somebody may read and write the remarks: its editors and curators."""
    return may_edit(dataset, actor) or may_review(dataset, actor)


def reach(dataset: Dataset, actor: Account | None) -> Reach | None:
    """What somebody may download: of a public open dataset for all; of a public controlled one for its submitter and
    the granted, and for nobody else; before release for its submitter and curators. None: nothing."""
    if dataset.state == states.WITHDRAWN:
        return None
    if is_owner(dataset, actor) or (dataset.state in PUBLIC and dataset.access == "open"):
        return Reach()
    if not is_controlled(dataset):
        return Reach() if is_co_submitter(dataset, actor) or may_review(dataset, actor) else None
    grant = active_grants.find(dataset.id, actor.id) if actor is not None else None
    return Reach(grant) if grant else None


def may_download(dataset: Dataset, actor: Account | None) -> bool:
    return reach(dataset, actor) is not None


RIGHTS = {"see": may_see, "edit": may_edit, "review": may_review, "discuss": may_discuss}


def load(ref: int | str, *, actor: Account | None, right: str = "see") -> Dataset:
    """A dataset by id or accession for an actor with a right. Raises NotFound, Forbidden, SignInNeeded or Gone."""
    text = str(ref)
    column = Dataset.id == int(text) if text.isdecimal() and len(text) < 19 else Dataset.accession == text.upper()
    dataset = db.session.scalar(select(Dataset).where(column, visible(actor)))
    if dataset is None:
        raise errors.NotFound(NO_DATASET)
    if not RIGHTS[right](dataset, actor):
        raise errors.SignInNeeded() if actor is None else errors.Forbidden(SUBMITTER_ONLY)
    return dataset
