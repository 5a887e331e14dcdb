"""What curators look at: the queue, what changed in a dataset, its history, and the checks made before they decide."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from portal import db, states
from portal.models import Account, Dataset, Event, File
from portal.queries import keyset

TURNS = ("submit", "recall", "return", "approve", "amend", "release", "unpublish", "suppress", "reinstate", "withdraw")
WORDS = {"title": "Dataset name", "description": "Brief description", "species": "Species",
         "investigator": "Principal investigator", "data_type": "Data type", "access": "Access", "human":
         "Human genetic resources", "bioproject": "BioProject", "release_date": "Release date",
         "filing_number": "Filing number", "name": "name", "declared_md5": "MD5", "samples": "Number of Samples/Files",
         "unit": "unit"}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was: a field of the dataset or of a file."""

    what: str
    before: str
    after: str
    removed: bool = False


def queue(
    *, text: str = "", access: str = "", state: str = states.SUBMITTED, after: str = "", before: str = ""
) -> keyset.Page:
    """Datasets in a state, those that wait longest first."""
    query = select(Dataset, Account.name).join(Account, Account.id == Dataset.account_id)
    query = query.where(Dataset.state == state, Dataset.accession.is_not(None))
    if access:
        query = query.where(Dataset.access == access)
    if text.strip():
        query = query.where(Dataset.search_text.contains(text.strip().lower(), autoescape=True))
    since = func.coalesce(Dataset.submitted_at, Dataset.created_at)
    return keyset.fetch(query, (since, Dataset.id), lambda row: (row[0].submitted_at or row[0].created_at, row[0].id),
                        after=after, before=before, descending=False)  # fmt: skip


def waiting() -> dict[str, int]:
    query = select(Dataset.state, func.count()).where(Dataset.accession.is_not(None)).group_by(Dataset.state)
    return {row[0]: row[1] for row in db.session.execute(query)}


def place_in_queue(dataset: Dataset) -> int:
    query = select(func.count()).where(Dataset.state == states.SUBMITTED, Dataset.submitted_at < dataset.submitted_at)
    return int(db.session.scalar(query) or 0) + 1


def history(dataset: Dataset, *, file_id: int | None = None, limit: int = 200) -> list[tuple[Event, str | None]]:
    """The newest events of a dataset, or of one of its files, with who caused them."""
    query = select(Event, Account.name).outerjoin(Account, Account.id == Event.actor_id)
    query = query.where(Event.dataset_id == dataset.id)
    if file_id is not None:
        query = query.where(Event.file_id == file_id)
    return [(event, name) for event, name in db.session.execute(query.order_by(Event.id.desc()).limit(limit))]


def remarks(dataset: Dataset) -> list[tuple[Event, str | None]]:
    """Turns of the dataset, the newest first, with what was said at them."""
    query = select(Event, Account.name).outerjoin(Account, Account.id == Event.actor_id).where(
        Event.dataset_id == dataset.id, Event.action.in_(TURNS)).order_by(Event.id.desc()).limit(50)  # fmt: skip
    return [(event, name) for event, name in db.session.execute(query)]


def newest(dataset: Dataset) -> int:
    query = select(Event.id).where(Event.dataset_id == dataset.id).order_by(Event.id.desc()).limit(1)
    return db.session.scalar(query) or 0


def baseline(dataset: Dataset) -> Event | None:
    """The last time a curator judged the dataset: the approval that stands, else the last return."""
    for action in ("approve", "return"):
        query = select(Event).where(Event.dataset_id == dataset.id, Event.action == action)
        if action == "return" or dataset.approved_version is not None:
            found = db.session.scalars(query.order_by(Event.id.desc()).limit(1)).first()
            if found is not None:
                return found
    return None


def handed_in(dataset: Dataset) -> Event | None:
    """The last time the submitter pressed Submit."""
    query = select(Event).where(Event.dataset_id == dataset.id, Event.action == "submit")
    return db.session.scalars(query.order_by(Event.id.desc()).limit(1)).first()


def changes(dataset: Dataset, *, since: int) -> list[Change]:
    """What an event number later is not as it was, each field once: its first value before, its last after."""
    query = select(Event).where(Event.dataset_id == dataset.id, Event.id > since,
                                Event.action.in_(("edit", "edit_file", "add_files", "remove_file")))  # fmt: skip
    events = list(db.session.scalars(query.order_by(Event.id)))
    numbers = _numbers(dataset, {event.file_id for event in events if event.file_id})
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    others: list[Change] = []
    for event in events:
        if event.action == "add_files":
            count = (event.after or {}).get("files", 0)
            others.append(Change("Files", "", f"{count} added, the first is {(event.after or {}).get('first', '')}"))
        elif event.action == "remove_file":
            label = f"File -{numbers.get(event.file_id or 0, 0):02d}"
            others.append(Change(label, (event.before or {}).get("name", ""), "removed by the submitter", removed=True))
        else:
            file = f"File -{numbers.get(event.file_id, 0):02d}, " if event.file_id else ""
            for field, value in (event.before or {}).items():
                label = file + WORDS.get(field, field) if file else WORDS.get(field, field)
                first.setdefault(label, value)
                last[label] = (event.after or {}).get(field)
    edits = [Change(label, _plain(first[label]), _plain(last[label])) for label in first if first[label] != last[label]]
    return [*edits, *others]


def _numbers(dataset: Dataset, file_ids: set[int]) -> dict[int, int]:
    query = select(File.id, File.n).where(File.dataset_id == dataset.id, File.id.in_(file_ids))
    return {row[0]: row[1] for row in db.session.execute(query)}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
