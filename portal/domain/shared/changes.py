"""What changed in a dataset since an event of its history: fields, files, and the words inside a text."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import or_, select

from portal import db, states
from portal.models import Account, Dataset, Event, File
from portal.queries.paging import keyset

EDITS = ("edit", "edit_file", "add_files", "remove_file", "replace_file")
FIELD_LABELS = {
    "title": "Dataset name",
    "description": "Brief description",
    "species": "Species",
    "investigator": "Principal investigator",
    "data_type": "Data type",
    "access": "Access",
    "human": "Human genetic resources",
    "bioproject": "BioProject",
    "release_date": "Release date",
    "filing_number": "Filing number",
    "name": "name",
    "declared_md5": "MD5",
    "samples": "Number of Samples/Files",
    "unit": "unit",
}
FILE_LABELS = {"title": "title", "description": "description", "data_type": "data type"}
MILESTONES = (  # events that change no field
    "create",
    "submit",
    "recall",
    "return",
    "approve",
    "ask_release",
    "release",
    "unpublish",
    "suppress",
    "reinstate",
    "withdraw",
    "publication",
    "publication.remove",
    "link.make",
    "link.revoke",
)
MOST_NAMED = 20


@dataclass(frozen=True)
class Change:
    """One difference between two moments: a field of the dataset or of a file. `n` is the number of the file; `aside`
    marks a change of the list of files."""

    what: str
    before: str
    after: str
    field: str = ""
    n: int | None = None
    aside: bool = False

    @property
    def words(self) -> list[tuple[str, str]]:
        return difference(self.before, self.after)

    def document(self) -> dict[str, object]:
        return {"what": self.what, "before": self.before, "after": self.after, "file": self.n}


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """Two texts as runs of ('same' | 'gone' | 'new', text); texts with little in common as one gone and one new."""
    old, new = re.findall(r"\S+\s*", before), re.findall(r"\S+\s*", after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.4:
        return [(kind, text) for kind, text in (("gone", before), ("new", after)) if text]
    runs: list[tuple[str, str]] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            runs.append(("same", "".join(new[k:m])))
            continue
        runs += [(kind, "".join(part)) for kind, part in (("gone", old[i:j]), ("new", new[k:m])) if part]
    return runs


def since(dataset: Dataset, event_id: int) -> list[Change]:
    """What changed after an event: each field once, with its first value before and its last after; then files added,
    removed and replaced."""
    query = select(Event).where(Event.dataset_id == dataset.id, Event.id > event_id, Event.action.in_(EDITS))
    events = list(db.session.scalars(query.order_by(Event.id)))
    numbers = _numbers({event.file_id for event in events if event.file_id})
    first: dict[tuple[int | None, str], object] = {}
    last: dict[tuple[int | None, str], object] = {}
    others: list[Change] = []
    for event in events:
        n = numbers.get(event.file_id or 0)
        if event.action not in ("edit", "edit_file"):
            others += _files_changed(dataset, event, n)
            continue
        for field, value in (event.before or {}).items():
            first.setdefault((n, field), value)
            last[n, field] = (event.after or {}).get(field)
    kept = [key for key in first if first[key] != last[key]]
    return [*(_change(n, field, first[n, field], last[n, field]) for n, field in kept), *others]


@dataclass(frozen=True)
class Earlier:
    """A dataset as it was at a moment `at` of its history: the values that were changed since, by field and by number
    and field, and the numbers of the files that came since."""

    fields: dict[str, Any]
    of_files: dict[int, dict[str, Any]]
    added: frozenset[int]
    at: int = 0


def earlier(dataset: Dataset, event_id: int) -> Earlier:
    """How a dataset was at an event: what to put back, and what to leave out."""
    query = select(Event).where(Event.dataset_id == dataset.id, Event.id > event_id, Event.action.in_(EDITS))
    events = list(db.session.scalars(query.order_by(Event.id)))
    numbers = _numbers({event.file_id for event in events if event.file_id})
    found = Earlier({}, {}, frozenset())
    added: set[int] = set()
    for event in events:
        n = numbers.get(event.file_id or 0)
        if event.action == "add_files":
            first, count = int((event.after or {}).get("n") or 0), int((event.after or {}).get("files") or 0)
            added |= set(range(first, first + count))
        elif event.action == "replace_file" and n is not None:
            added.add(n)
        elif event.action in ("edit", "edit_file"):
            values = found.fields if n is None else found.of_files.setdefault(n, {})
            for field, value in (event.before or {}).items():
                values.setdefault(field, value)
    at = db.session.scalar(select(Event.at).where(Event.id == event_id)) or 0
    return Earlier(found.fields, found.of_files, frozenset(added), at)


def last_approval(dataset: Dataset) -> int:
    """The id of the event by which a curator approved the dataset last; 0 where none did."""
    query = select(Event.id).where(Event.dataset_id == dataset.id, Event.action == "approve").order_by(Event.id.desc())
    return db.session.scalar(query.limit(1)) or 0


def _files_changed(dataset: Dataset, event: Event, n: int | None) -> list[Change]:
    before, after = event.before or {}, event.after or {}
    if event.action == "add_files":
        return _added(dataset, after)
    if event.action == "remove_file":
        return [Change(_file(n), before.get("name", ""), "removed", "removed", n, aside=True)]
    if event.action == "replace_file":
        old = f"-{before.get('n', 0):02d} {before.get('name', '')}"
        return [Change(_file(n), old, f"replaces it: {after.get('name', '')}", "replaced", n, aside=True)]
    return []


def history(dataset: Dataset, *, after: str = "", before: str = "", limit: int = 50) -> keyset.Page:
    """What people did to a dataset, newest first: (event, who, what changed)."""
    query = select(Event, Account.name).outerjoin(Account, Account.id == Event.actor_id)
    query = query.where(Event.dataset_id == dataset.id, Event.action.in_((*EDITS, *MILESTONES)))
    page = keyset.fetch(query, (Event.id,), lambda row: (row[0].id,), after=after, before=before, limit=limit)
    numbers = _numbers({event.file_id for event, _name in page.rows if event.file_id})
    rows = [(event, name, _changes_of(dataset, event, numbers.get(event.file_id or 0))) for event, name in page.rows]
    return keyset.Page(rows, page.newer, page.older)


def _changes_of(dataset: Dataset, event: Event, n: int | None) -> list[Change]:
    if event.action in ("edit", "edit_file"):
        return [
            _change(n, field, value, (event.after or {}).get(field)) for field, value in (event.before or {}).items()
        ]
    return _files_changed(dataset, event, n)


def _change(n: int | None, field: str, before: object, after: object) -> Change:
    word = FIELD_LABELS.get(field, field) if n is None else FILE_LABELS.get(field, FIELD_LABELS.get(field, field))
    return Change(word if n is None else f"{_file(n)}, {word}", plain(before), plain(after), field, n)


def _file(n: int | None) -> str:
    return f"File -{n or 0:02d}"


def _added(dataset: Dataset, after: dict[str, Any]) -> list[Change]:  # JSON
    """The first of the files that one event added, by name; of many the rest as a number."""
    count, n = int(after.get("files", 0)), after.get("n")
    if n is None:
        return [Change("Files", "", f"{count} added, the first is {after.get('first', '')}", "added")]
    query = (
        select(File.n, File.name)
        .where(
            File.dataset_id == dataset.id,
            File.n >= n,
            File.n < n + min(count, MOST_NAMED),
            File.state.not_in(states.DEAD_FILES),
        )
        .order_by(File.n)
    )
    changes = [Change(_file(row.n), "", row.name, "added", row.n) for row in db.session.execute(query)]
    if count > MOST_NAMED:
        changes.append(Change("Files", "", f"{count - MOST_NAMED:,} more, to number {n + count - 1}", "added"))
    return changes


def _numbers(file_ids: set[int]) -> dict[int, int]:
    query = select(File.id, File.n).where(File.id.in_(file_ids))
    return {row[0]: row[1] for row in db.session.execute(query)} if file_ids else {}


def plain(value: object) -> str:
    """A value of the history as people read it: yes or no for booleans, empty for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def newest(dataset: Dataset) -> int:
    """The id of the newest event of a dataset; 0 where there is none."""
    query = select(Event.id).where(Event.dataset_id == dataset.id).order_by(Event.id.desc()).limit(1)
    return db.session.scalar(query) or 0


def as_of(dataset: Dataset, version: int) -> Event | None:
    """The last submit, approval or return of this version or an older one: who names only a version saw that much."""
    decisions = select(Event).where(Event.dataset_id == dataset.id, Event.action.in_(("submit", "approve", "return")))
    for event in db.session.scalars(decisions.order_by(Event.id.desc())):
        if (event.after or {}).get("version", 0) <= version:
            return event
    return None


def last_review(dataset: Dataset) -> Event | None:
    """The last time a curator judged the dataset: the approval that stands, else the last return."""
    approved = or_(Event.action == "return", Event.action == "approve")
    actions = Event.action == "approve" if dataset.approved_version is not None else approved
    query = select(Event).where(Event.dataset_id == dataset.id, actions).order_by(Event.id.desc()).limit(1)
    return db.session.scalars(query).first()
