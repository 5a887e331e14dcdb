"""What a curator should look at before deciding: each check with whether it holds, in a sentence."""

from dataclasses import dataclass

from portal import states
from portal.domain import datasets, files
from portal.models import Dataset


@dataclass(frozen=True)
class Check:
    """`weight` is ok, warn or bad."""

    weight: str
    sentence: str


def before_review(dataset: Dataset) -> list[Check]:
    """The checks of a submitted dataset, those that need a look first."""
    found = [Check("bad", sentence) for sentence in datasets.missing(dataset).values()]
    found += _human(dataset) + _files(dataset)
    if not dataset.release_date:
        found.append(Check("warn", "No release date is set; it stays closed until somebody releases it."))
    return sorted(found, key=lambda check: ("bad", "warn", "ok").index(check.weight))


def _human(dataset: Dataset) -> list[Check]:
    if not (dataset.human or "homo sapiens" in dataset.species.lower()):
        return []
    found = []
    if dataset.access == "open":
        found.append(Check("warn", "Human data are to be open to everybody."))
    if not dataset.filing_number:
        found.append(Check("warn", "Human data without a filing number; it is recommended, not required."))
    return found


def _files(dataset: Dataset) -> list[Check]:
    red = files.count(dataset, states.FAILED, states.ERROR)
    waiting = files.count(dataset, states.WAITING)
    total, archived = files.count(dataset), files.count(dataset, states.ARCHIVED)
    found = []
    if red:
        found.append(Check("bad", f"{red} of {total} files have a fault."))
    if waiting:
        found.append(Check("warn", f"{waiting} of {total} files have not arrived."))
    if total and archived == total:
        found.append(Check("ok", f"All {total} files are verified and archived."))
    return found
