"""How the files and components of datasets stand, read from the tallies that the database keeps: a dataset of 100,000
costs no more than one of ten."""

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
    return sum(number for group, number in counted.items() if group != "aside")


def of(datasets: list[Dataset]) -> dict[int, Tally]:
    """The tallies of the datasets of a page."""
    ids = [one.id for one in datasets]
    counted, parts = files(ids), components(ids)
    return {one: Tally(counted[one], parts[one]) for one in ids}


def files(ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each dataset, how many files are in each group."""
    found: dict[int, dict[str, int]] = {one: {} for one in ids}
    query = select(FileTally.dataset_id, FileTally.state, FileTally.number, Dataset.state).join(
        Dataset, Dataset.id == FileTally.dataset_id
    )
    rows = db.session.execute(query.where(FileTally.dataset_id.in_(found), FileTally.number > 0))
    for one, state, number, whole in rows:
        gone = whole == states.WITHDRAWN and state == states.ARCHIVED
        group = GROUPS[states.REMOVED if gone else state]
        found[one][group] = found[one].get(group, 0) + number
    return found


def components(ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each dataset, how many components stand in each state."""
    found: dict[int, dict[str, int]] = {one: {} for one in ids}
    query = select(ComponentTally.dataset_id, ComponentTally.state, func.sum(ComponentTally.number)).where(
        ComponentTally.dataset_id.in_(found), ComponentTally.number > 0
    )
    for one, state, number in db.session.execute(query.group_by(ComponentTally.dataset_id, ComponentTally.state)):
        found[one][state] = int(number)
    return found


def bytes_of(dataset: Dataset) -> int:
    """How many bytes of a dataset are here, archived or not."""
    living = FileTally.state.not_in(states.DEAD_FILES)
    return int(
        db.session.scalar(select(func.sum(FileTally.bytes)).where(FileTally.dataset_id == dataset.id, living)) or 0
    )
