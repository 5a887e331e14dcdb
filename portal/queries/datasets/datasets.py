"""Datasets of one account: the list with its two tabs, and where each of them stands."""

from dataclasses import dataclass, field

from sqlalchemy import func, select

from portal import clock, db, states
from portal.config import settings
from portal.domain.datasets import actions, datasets, releases
from portal.messages import Message
from portal.models import Account, Dataset, Event, Job
from portal.queries.datasets import listed
from portal.queries.files import files, tallies
from portal.queries.paging import keyset

PUBLISHED, ATTENTION = listed.PUBLISHED, listed.ATTENTION


@dataclass(frozen=True)
class Row:
    """A dataset in a list, with what its submitter may do."""

    dataset: Dataset
    counts: dict[str, int]
    moves: list[states.Move]
    shown: states.Shown
    remark: Event | None = None
    by: str = ""
    left: int = 0
    obstacles: list[Message] = field(default_factory=list)

    @property
    def need(self) -> bool:
        overdue = self.shown is states.SHOWN_DATASET["overdue"]
        return self.dataset.state == states.RETURNED or overdue or bool(self.counts.get("fault"))


def shown(dataset: Dataset) -> states.Shown:
    """The pill of a dataset: approved and due, but not open yet, is overdue."""
    late = datasets.due(dataset) and not _fresh(dataset)
    return states.SHOWN_DATASET["overdue" if late else dataset.state]


def _fresh(dataset: Dataset) -> bool:
    """Whether a dataset is due since a few minutes only: the release is a job and takes its time."""
    return (
        clock.now() - dataset.updated_at < 10 * clock.MINUTE
        and dataset.release_date == clock.today(settings().timezone).isoformat()
    )


def mine(account: Account, chosen: listed.Filter, *, after: str = "", before: str = "") -> keyset.Page:
    """A page of the account's datasets, each with what its owner may do."""
    page = listed.page(account, chosen, after=after, before=before)
    return keyset.Page(rows_of(page.rows, account), page.newer, page.older)


def rows_of(shown_datasets: list[Dataset], actor: Account) -> list[Row]:
    """Datasets as a list shows them to an actor."""
    counted = tallies.files(dataset.id for dataset in shown_datasets)
    remarks = last_remarks([dataset.id for dataset in shown_datasets if dataset.state == states.RETURNED])
    rows = []
    for dataset in shown_datasets:
        remark, by = remarks.get(dataset.id, (None, ""))
        writing = dataset.state in (states.DRAFT, states.RETURNED)
        pill = shown(dataset)
        opening = pill is states.SHOWN_DATASET["overdue"] or dataset.release_wanted_at is not None
        left = len(datasets.missing(dataset, declared=tallies.declared(counted[dataset.id]))) if writing else 0
        obstacles = releases.obstacles(dataset) if opening and dataset.state == states.APPROVED else []
        moves = actions.offered(dataset, actor=actor)
        rows.append(Row(dataset, counted[dataset.id], moves, pill, remark, by, left, obstacles))
    return rows


def last_remarks(dataset_ids: list[int]) -> dict[int, tuple[Event | None, str]]:
    """The last remark of a curator on each dataset, and who made it."""
    newest = (
        select(func.max(Event.id))
        .where(Event.dataset_id.in_(dataset_ids), Event.action == "return")
        .group_by(Event.dataset_id)
    )
    query = select(Event, Account.name).outerjoin(Account, Account.id == Event.actor_id).where(Event.id.in_(newest))
    return {event.dataset_id or 0: (event, name or "") for event, name in db.session.execute(query)}


def moving(account: Account, rows: list[Row]) -> bool:
    """Whether work goes on for datasets of a list, so that the page polls it."""
    ids = [row.dataset.id for row in rows]
    owed = select(Job.id).where(Job.dataset_id.in_(ids), Job.state.in_((states.QUEUED, states.RUNNING))).limit(1)
    return any(row.counts.get("work") for row in rows) or bool(ids and db.session.scalar(owed))


def release_work(dataset: Dataset) -> files.Work | None:
    """Progress of the job that brings a dataset to its release."""
    query = select(Job).where(
        Job.dataset_id == dataset.id, Job.kind.in_(("release", "bag", "move")), Job.state == states.RUNNING
    )
    job = db.session.scalars(query.limit(1)).first()
    return files.Work(job.done, job.total, job.rate) if job else None
