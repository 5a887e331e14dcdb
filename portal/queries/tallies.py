"""How the files and components of datasets stand, counted only as far as a list can show: a dataset of 100,000 costs no
more than one of 1,000."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select

from portal import db, states
from portal.models import Component, Dataset, File
from portal.queries.files import GROUPS

MOST = 1000
_OTHERS = tuple(state for state in states.FILE.states if state != states.ARCHIVED)


@dataclass(frozen=True)
class Tally:
    """Files by group, components by state. `least`: some of the numbers of files are more than said."""

    files: dict[str, int]
    components: dict[str, int]
    least: bool = False

    @property
    def declared(self) -> int:
        return sum(number for group, number in self.files.items() if group != "aside")

    @property
    def arrived(self) -> int:
        return self.declared - self.files.get("waiting", 0)


def of(datasets: list[Dataset], most: int = MOST) -> dict[int, Tally]:
    """The tallies of the datasets of a page. What is archived is what is left of the numbers given."""
    if not datasets:
        return {}
    columns = [_count(File, state, most).label(f"file_{state}") for state in _OTHERS]
    columns += [_count(Component, state, most).label(f"component_{state}") for state in states.COMPONENT.states]
    query = select(Dataset.id, Dataset.next_n, *columns).where(Dataset.id.in_([one.id for one in datasets]))
    return {row.id: _tally(row._asdict(), most) for row in db.session.execute(query)}


def _count(model: Any, state: str, most: int) -> Any:
    some = select(literal(1)).where(model.dataset_id == Dataset.id, model.state == state).correlate(Dataset)
    return select(func.count()).select_from(some.limit(most + 1).subquery()).scalar_subquery()


def _tally(row: dict[str, Any], most: int) -> Tally:
    files: dict[str, int] = {}
    others = {state: row[f"file_{state}"] for state in _OTHERS}
    least = any(number > most for number in others.values())
    archived = 0 if least else row["next_n"] - 1 - sum(others.values())
    for state, number in (others | {states.ARCHIVED: max(0, archived)}).items():
        if number:
            files[GROUPS[state]] = files.get(GROUPS[state], 0) + min(number, most if state in others else number)
    found = {state: min(row[f"component_{state}"], most) for state in states.COMPONENT.states}
    return Tally(files, {state: number for state, number in found.items() if number}, least)
