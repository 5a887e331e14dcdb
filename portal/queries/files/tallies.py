"""Numbers of files and components of datasets by state, read from the tallies that database triggers keep: a dataset of
100,000 files costs no more than one of ten."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from portal import db, states
from portal.models import ComponentTally, Dataset, FileTally

GROUPS = {
    states.ARCHIVED: "archived",
    states.FAILED: "fault",
    states.ERROR: "fault",
    states.CHECKING: "work",
    states.RECEIVED: "received",
    states.WAITING: "waiting",
    states.REMOVED: "aside",
    states.REPLACED: "aside",
}


@dataclass(frozen=True)
class Tally:
    """Files by group, components by state."""

    files: dict[str, int]
    components: dict[str, int]

    @property
    def declared(self) -> int:
        return declared(self.files)

    @property
    def arrived(self) -> int:
        return self.declared - self.files.get("waiting", 0)


def declared(counted: dict[str, int]) -> int:
    """Number of declared files, of counts by group."""
    return sum(number for group, number in counted.items() if group != "aside")


def of(datasets: list[Dataset]) -> dict[int, Tally]:
    """The tallies of the datasets of a page."""
    ids = [dataset.id for dataset in datasets]
    counted, parts = files(ids), components(ids)
    return {dataset_id: Tally(counted[dataset_id], parts[dataset_id]) for dataset_id in ids}


def files(ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each dataset, how many files are in each group."""
    counts: dict[int, dict[str, int]] = {dataset_id: {} for dataset_id in ids}
    query = select(FileTally.dataset_id, FileTally.state, FileTally.number, Dataset.state).join(
        Dataset, Dataset.id == FileTally.dataset_id
    )
    rows = db.session.execute(query.where(FileTally.dataset_id.in_(counts), FileTally.number > 0))
    for dataset_id, state, number, dataset_state in rows:
        gone = dataset_state == states.WITHDRAWN and state == states.ARCHIVED
        group = GROUPS[states.REMOVED if gone else state]
        counts[dataset_id][group] = counts[dataset_id].get(group, 0) + number
    return counts


def components(ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each dataset, how many components stand in each state."""
    counts: dict[int, dict[str, int]] = {dataset_id: {} for dataset_id in ids}
    query = select(ComponentTally.dataset_id, ComponentTally.state, func.sum(ComponentTally.number)).where(
        ComponentTally.dataset_id.in_(counts), ComponentTally.number > 0
    )
    for dataset_id, state, number in db.session.execute(
        query.group_by(ComponentTally.dataset_id, ComponentTally.state)
    ):
        counts[dataset_id][state] = int(number)
    return counts


def bytes_of(dataset: Dataset) -> int:
    """Bytes of a dataset that have arrived, archived or not."""
    living = FileTally.state.not_in(states.DEAD_FILES)
    return int(
        db.session.scalar(select(func.sum(FileTally.bytes)).where(FileTally.dataset_id == dataset.id, living)) or 0
    )
