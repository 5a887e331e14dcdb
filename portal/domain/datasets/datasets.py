"""Datasets: made, edited, submitted, recalled, discarded. Nothing here commits or reads a request."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.datasets import realms
from portal.domain.files import accessions, species
from portal.domain.files import files as declared_files
from portal.domain.files.species import HUMAN, MIXED
from portal.domain.permissions import access
from portal.domain.shared import history, job_queue, text_rules, transitions
from portal.messages import Message, say
from portal.models import Account, Dataset, Event, File

LINES = {"title": 300, "species": 200, "investigator": 200, "data_type": 100, "filing_number": 100}
FIELDS = (*LINES, "description", "bioproject", "access", "release_date", "human")
BIOPROJECT = re.compile(r"PRJ[A-Z]{1,2}\d{1,9}")
NEEDED = {
    "title": say("title_missing", "Give the dataset a name."),
    "description": say("description_missing", "Say in a few sentences what the data are."),
    "species": say("species_missing", "Name the species; for several: {mixed}.", mixed=MIXED),
}


def create(*, actor: Account, files: Sequence[Mapping[str, object]] | None = None, **fields: object) -> Dataset:
    """A new draft of the actor. `files` declares files at once. Raises Invalid with all faults at their fields."""
    now = clock.now()
    values, faults = check(with_preset(fields))
    if faults:
        raise errors.Invalid(fields=faults)
    dataset = Dataset(
        account_id=actor.id, center_id=actor.center_id, created_at=now, updated_at=now, state=states.DRAFT, **values
    )
    db.session.add(dataset)
    db.session.flush()
    index(dataset)
    history.record("create", actor=actor, dataset=dataset, after=values)
    declared_files.add(dataset, files or [], actor=actor)
    return dataset


def with_preset(fields: dict[str, object], dataset: Dataset | None = None) -> dict[str, object]:
    """Human data are controlled unless somebody says otherwise: an access that is named, or was chosen, stands. Their
    species is filled in where none is written."""
    human = _yes(fields.get("human"))
    written = fields.get("species", dataset.species if dataset is not None else "")
    if human and not str(written or "").strip():
        fields = fields | {"species": HUMAN}
    ticked = human and "access" not in fields
    fresh = dataset is None or (dataset.state == states.DRAFT and not dataset.human and not chose_access(dataset))
    return fields | {"access": "controlled"} if ticked and fresh else fields


def chose_access(dataset: Dataset) -> bool:
    """Whether anybody ever said who may download."""
    naming_event = select(Event.id).where(
        Event.dataset_id == dataset.id,
        Event.action.in_(("create", "edit")),
        Event.after["access"].as_string().is_not(None),
    )
    return db.session.scalar(naming_event.limit(1)) is not None


def copy(earlier: Dataset, *, actor: Account, **fields: object) -> Dataset:
    """A new draft with the texts of an earlier dataset and what it says of its files; no bytes, digests or dates."""
    texts = {field: getattr(earlier, field) for field in FIELDS if field != "release_date"} | fields
    fields_copied = ("name", *declared_files.DESCRIPTIVE_FIELDS)
    columns = declared_files.lasting(earlier).with_only_columns(*(getattr(File, name) for name in fields_copied))
    rows = [dict(zip(fields_copied, row, strict=True)) for row in db.session.execute(columns)]
    return create(actor=actor, **{"files": rows, **texts})


def copied(earlier: Dataset, *, actor: Account, since: int) -> Dataset | None:
    """A copy of it that was just made: a button pressed twice makes one."""
    query = (
        select(Dataset)
        .where(
            Dataset.account_id == actor.id,
            Dataset.state == states.DRAFT,
            Dataset.id != earlier.id,
            Dataset.created_at >= since,
            Dataset.title == earlier.title,
            Dataset.description == earlier.description,
        )
        .order_by(Dataset.id.desc())
    )
    return db.session.scalars(query.limit(1)).first()


def check(fields: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, Message]]:
    """Clean values of the given fields only, and a message for each that breaks a rule."""
    values: dict[str, Any] = {}
    faults: dict[str, Message] = {}
    for field in (field for field in FIELDS if field in fields):
        try:
            values[field] = _rule(field)(fields[field])
        except errors.DomainError as error:
            faults[field] = error.whole
    return values, faults


def _rule(field: str) -> Callable[[object], object]:
    """The function that cleans a typed value of a field, or raises Invalid."""
    if field in LINES:
        return lambda value: text_rules.line(value, longest=LINES[field])
    return RULES[field]


def _yes(value: object) -> bool:
    return str(value).lower() in ("1", "true", "on", "y", "yes")


def _bioproject(value: object) -> str:
    text = text_rules.line(value, longest=30).upper()
    if text and not BIOPROJECT.fullmatch(text):
        raise errors.Invalid(say("bioproject_form", "A BioProject accession looks like PRJCA000123 or PRJNA123456."))
    return text


def _access(value: object) -> str:
    if value not in ("open", "controlled"):
        raise errors.Invalid(say("access_unknown", "Access is open or controlled."))
    return str(value)


def release_date(value: object) -> str | None:
    """The first open day, as ISO; None for none. Past days are today's matter: they mean `release now`."""
    if value in (None, ""):
        return None
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise errors.Invalid(say("date_form", "A date is written year-month-day, such as 2027-03-01.")) from None
    if not 2000 <= day.year <= 2200:
        raise errors.Invalid(say("date_out_of_range", "The release date lies between 2000 and 2200."))
    return day.isoformat()


RULES: dict[str, Callable[[object], object]] = {
    "description": text_rules.prose,
    "bioproject": _bioproject,
    "access": _access,
    "release_date": release_date,
    "human": _yes,
}


def edit(dataset: Dataset, changes: Mapping[str, object], *, actor: Account) -> Dataset:
    """Change what is said of a dataset, until release. From `submitted` on the version counts up; an approved one goes
    back to the curator unless only its release date changed."""
    values, faults = check(changes)
    if faults:
        raise errors.Invalid(fields=faults)
    before = {field: getattr(dataset, field) for field in values if getattr(dataset, field) != values[field]}
    if not before:
        return dataset
    after = {field: values[field] for field in before}
    _refuse_edit(dataset, before, after, actor)
    if dataset.state == states.APPROVED and set(before) != {"release_date"}:
        transitions.advance(dataset, "amend", actor=actor, submitted_at=clock.now())
    for field, value in after.items():
        setattr(dataset, field, value)
    if set(before) == {"release_date"}:
        dataset.updated_at = clock.now()
    else:
        declared_files.touched(dataset, actor=actor)
    index(dataset)
    history.record("edit", actor=actor, dataset=dataset, before=before, after=after)
    if dataset.accession and dataset.bag_generation:
        declared_files.mark_bag(dataset)
    if "access" in after:
        realms.enqueue_move(dataset)
    if "release_date" in after and due(dataset):
        job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
    return dataset


def _refuse_edit(dataset: Dataset, before: Mapping[str, object], after: Mapping[str, object], actor: Account) -> None:
    curating = actor.role == "curator" and dataset.state in (states.RELEASED, states.SUPPRESSED)
    if dataset.state in (states.RELEASED, states.SUPPRESSED, states.WITHDRAWN) and not curating:
        text = "This dataset is {state}; write to {contact} for a correction."
        raise errors.Conflict(say("texts_fixed", text, state=dataset.state, contact=settings().contact))
    if curating and {"access", "release_date"} & set(before):
        raise errors.Conflict(say("access_fixed", "After release the access and the release date stand."))
    # The date opens what is approved without another look: it is the owner's from the submit on, as the release is.
    submitted = dataset.state in (states.SUBMITTED, states.APPROVED)
    if "release_date" in after and submitted and access.is_co_submitter(dataset, actor):
        text = "Once it is submitted, only {owner} changes the release date."
        fault = say("release_date_owner", text, owner=dataset.account.name)
        raise errors.Invalid(fields={"release_date": fault})
    if "access" in after:
        realms.refuse_change(dataset, str(after["access"]))


def due(dataset: Dataset) -> bool:
    """Whether the first open day has come, in the site's zone."""
    return dataset.state == states.APPROVED and has_come(dataset.release_date)


def has_come(day: str | None) -> bool:
    """Whether a date (ISO) is today or past in the site's zone; what is no date has not come."""
    try:
        return day is not None and date.fromisoformat(day) <= clock.today(settings().timezone)
    except ValueError:
        return False


def missing(dataset: Dataset, *, declared: int | None = None) -> dict[str, Message]:
    """What must be mended before Submit: a message for each field. `declared`: number of its files, where counted."""
    faults = {field: message for field, message in NEEDED.items() if not getattr(dataset, field).strip()}
    if dataset.human and dataset.species != HUMAN:
        faults["species"] = say("species_human", "For human genetic resources the species is {human}.", human=HUMAN)
    if settings().filing_required and dataset.human and dataset.access == "open" and not dataset.filing_number.strip():
        text = "Human data that are to be open need a filing number here."
        faults["filing_number"] = say("filing_number_missing", text)
    if dataset.pending:
        faults |= check(json.loads(dataset.pending))[1]
    if not (declared_files.count(dataset) if declared is None else declared):
        faults["files"] = say("files_missing", "Declare at least one file; its bytes may come later.")
    return faults


def refuse_incomplete(dataset: Dataset) -> None:
    """Raises Invalid with a message for each field that must be mended before Submit."""
    if faults := missing(dataset):
        raise errors.Invalid(say("not_submittable", "Before you submit, mend what is listed here."), fields=faults)


def submit(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Hand a dataset to the curators: accession, version, and everything that arrived goes to the archive."""
    refuse_incomplete(dataset)
    now = clock.now()
    transitions.advance(
        dataset,
        "submit",
        actor=actor,
        version=dataset.version + 1,
        submitted_at=now,
        first_submitted_at=dataset.first_submitted_at or now,
    )
    accessions.give(dataset)
    realms.place_at_submit(dataset)
    index(dataset)
    history.record(
        "submit",
        actor=actor,
        dataset=dataset,
        note=note,
        after={"version": dataset.version, "accession": dataset.accession},
    )
    send_to_archive(dataset)
    declared_files.note_bag(dataset)
    declared_files.enqueue_components(dataset)
    return dataset


def send_to_archive(dataset: Dataset) -> None:
    """Let one job check and archive every file whose bytes have arrived."""
    arrived = (File.dataset_id == dataset.id, File.state == states.RECEIVED)
    moved = transitions.transition_all(File, "check", *arrived, updated_at=clock.now())
    db.session.expire_all()
    if moved:
        job_queue.enqueue("archive", dataset_id=dataset.id, priority=2)


def recall(dataset: Dataset, *, actor: Account, note: str = "") -> Dataset:
    """Take a submitted dataset back, to go on writing."""
    transitions.advance(dataset, "recall", actor=actor)
    history.record("recall", actor=actor, dataset=dataset, note=note)
    declared_files.note_bag(dataset)
    return dataset


def index(dataset: Dataset) -> None:
    """Set what is derived from the fields: the taxon of the species, and one lower-cased column for search."""
    dataset.taxon_id = species.taxon(dataset.species)
    parts = (
        dataset.accession,
        dataset.title,
        dataset.description,
        dataset.species,
        dataset.investigator,
        dataset.bioproject,
        dataset.data_type,
        dataset.submitter if dataset.released_at else dataset.account.name,
        dataset.center.name,
    )
    dataset.search_text = " ".join(part for part in parts if part).lower()
    db.session.flush()
