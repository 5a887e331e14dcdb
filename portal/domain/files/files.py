"""The files a dataset declares: added and edited. Their states are set by recompute_state() alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import aliased

from portal import clock, db, errors, states
from portal.domain.files import area_paths, file_state, matching
from portal.domain.shared import history, job_queue, text_rules, transitions
from portal.messages import Message, say
from portal.models import Account, Dataset, File

TEXT_LENGTHS = {"title": 300, "description": 2000, "data_type": 100}
DESCRIPTIVE_FIELDS = (*TEXT_LENGTHS, "samples", "unit")
EDITABLE_FIELDS = ("name", "declared_md5", *DESCRIPTIVE_FIELDS)
MOST_FILES = 200_000
BAG_DELAY_MS = 5_000
_HEIR = aliased(File)


def living(dataset: Dataset) -> Select[File]:
    """Query of the files that still belong to a dataset, in order."""
    return select(File).where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES)).order_by(File.n)


def lasting(dataset: Dataset) -> Select[File]:
    """living() without the files whose successor is declared: each name once."""
    return living(dataset).where(~select(_HEIR.id).where(_HEIR.replaces_id == File.id).exists())


def count(dataset: Dataset, *in_states: str) -> int:
    """Number of files in these states; without any, of all that still belong to the dataset."""
    query = select(func.count()).select_from(File).where(File.dataset_id == dataset.id)
    chosen = File.state.in_(in_states) if in_states else File.state.not_in(states.DEAD_FILES)
    return int(db.session.scalar(query.where(chosen)) or 0)


def by_number(dataset: Dataset, n: int) -> File:
    """The file of a number, OMIX000001-<n>. Raises NotFound, for a removed one too."""
    file = db.session.scalar(select(File).where(File.dataset_id == dataset.id, File.n == n))
    if file is None or file.state in states.DEAD_FILES:
        raise errors.NotFound(say("file_unknown", "This dataset has no file {n}.", n=n))
    return file


def add(dataset: Dataset, rows: list[dict[str, Any]], *, actor: Account | None) -> range:
    """Declare files; bytes may have come before or come later. Returns their numbers. Raises Invalid with
    `files.<index>.<field>` sentences; then nothing is added."""
    refuse_released(dataset)
    if not rows:
        return range(0)
    if count(dataset) + len(rows) > MOST_FILES:
        raise errors.Invalid(say("too_many_files", "A dataset holds at most {most:,} files.", most=MOST_FILES))
    checked: list[dict[str, Any]] = []
    wrong: dict[str, Message] = {}
    taken = {name for name in db.session.scalars(living(dataset).with_only_columns(File.name).order_by(None))}
    for index, row in enumerate(rows):
        values, faults = check(row)
        if not faults and values["name"] in taken:
            faults = {"name": name_taken(values["name"])}
        wrong |= {f"files.{index}.{field}": message for field, message in faults.items()}
        taken.add(values.get("name", ""))
        checked.append(values)
    if wrong:
        text = "Some files could not be added; nothing was changed."
        raise errors.Invalid(say("files_not_added", text), fields=wrong)
    numbers = declare(dataset, checked)
    matching.find_for(dataset, numbers)
    after = {"files": len(numbers), "first": checked[0]["name"], "n": numbers.start}
    history.record("add_files", actor=actor, dataset=dataset, after=after)
    touched(dataset, actor=actor)
    return numbers


def declare(dataset: Dataset, checked: list[dict[str, Any]]) -> range:
    """Insert checked values as waiting files; returns their numbers. No object a file: a dataset may declare a hundred
    thousand at once."""
    first, now = dataset.next_n, clock.now()
    dataset.next_n = first + len(checked)
    db.session.flush()
    shared = {"dataset_id": dataset.id, "created_at": now, "updated_at": now, "state": states.WAITING, "comment": ""}
    rows = [
        shared | values | {"n": first + step, "base": values["name"].rsplit("/", 1)[-1]}
        for step, values in enumerate(checked)
    ]
    db.session.connection().execute(insert(File), rows)
    return range(first, dataset.next_n)


def of_numbers(dataset: Dataset, numbers: range) -> list[File]:
    """The living files whose number in the dataset is in the range."""
    return list(db.session.scalars(living(dataset).where(File.n >= numbers.start, File.n < numbers.stop)))


def check(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Message]]:
    """Of one declared file the clean values, and a message for each field that breaks a rule."""
    values: dict[str, Any] = {}
    faults: dict[str, Message] = {}

    def take(field: str, rule: Callable[[], Any]) -> None:
        try:
            values[field] = rule()
        except errors.DomainError as error:
            faults[field] = error.whole

    take("name", lambda: area_paths.clean(str(row.get("name") or "").strip()))
    take("declared_md5", lambda: text_rules.md5(row.get("md5", row.get("declared_md5"))))
    for field, longest in TEXT_LENGTHS.items():
        take(field, partial(text_rules.line, row.get(field), longest=longest))
    take("samples", lambda: number(row.get("samples")))
    take("unit", lambda: unit(row.get("unit")))
    return values, faults


def number(value: Any) -> int | None:
    """A typed Number of Samples/Files; None for an empty field. Raises Invalid."""
    if value in (None, ""):
        return None
    try:
        count = int(str(value))
    except ValueError:
        raise errors.Invalid(say("samples_no_number", "Number of Samples/Files is a whole number.")) from None
    if not 0 <= count <= 10**9:
        raise errors.Invalid(say("samples_out_of_range", "Number of Samples/Files is between 0 and 1,000,000,000."))
    return count


def unit(value: Any) -> str:
    """What Number of Samples/Files counts: samples (the default) or files. Raises Invalid."""
    if value in (None, ""):
        return "samples"
    if value not in ("samples", "files"):
        raise errors.Invalid(say("unit_unknown", "The unit is samples or files."))
    return str(value)


def edit(file: File, changes: dict[str, Any], *, actor: Account | None) -> File:
    """Change what is said of a file. A mended MD5 is compared at once with the stored digest; a new name finds its
    upload anew. The name of archived bytes stands."""
    dataset = db.session.get(Dataset, file.dataset_id)
    assert dataset is not None
    refuse_released(dataset)
    stored = {field: getattr(file, field) for field in EDITABLE_FIELDS}
    row = stored | {"md5": stored["declared_md5"]} | changes
    values, faults = check(row)
    if row["name"] == file.name:
        faults.pop("name", None)  # a file may have been declared before its name was kept for something else
    if faults:
        raise errors.Invalid(fields=faults)
    changed = {field: value for field, value in values.items() if value != stored[field]}
    if not changed:
        return file
    if file.state == states.ARCHIVED and "name" in changed:
        text = "{name} is archived under this name. Replace it, or add a new file and delete this one."
        raise errors.Frozen(say("archived_name_fixed", text, name=file.name))
    if file.state == states.ARCHIVED and changed.get("declared_md5") not in (None, file.md5):
        raise errors.Conflict(
            say("archived_md5_fixed", "The archived file has the MD5 {md5}; replace it.", md5=file.md5)
        )
    if "name" in changed:
        _refuse_taken(file, dataset, changed["name"])
    for field, value in changed.items():
        setattr(file, field, value)
    file.updated_at = clock.now()
    before = {field: stored[field] for field in changed}
    history.record("edit_file", actor=actor, dataset=dataset, file=file, before=before, after=changed)
    if "name" in changed:
        _rename(file, dataset, changed["name"])
    db.session.flush()
    file_state.recompute_state(file)
    touched(dataset, actor=actor)
    return file


def name_taken(name: str) -> Message:
    """The fault of a second file of one name."""
    return say("file_name_taken", "{name} is declared already.", name=name)


def archived_with(md5: str | None) -> Message:
    """The fault of another MD5 for archived bytes, where the file is named beside it."""
    return say("file_archived_with", "It is archived with the MD5 {md5}; replace it.", md5=md5)


def _refuse_taken(file: File, dataset: Dataset, name: str) -> None:
    """Raises Invalid where another file bears the name; that whose place this one takes may."""
    others = File.id.not_in((file.id, file.replaces_id or 0))
    if db.session.scalar(living(dataset).with_only_columns(File.id).where(File.name == name, others)):
        raise errors.Invalid(fields={"name": name_taken(name)})


def _rename(file: File, dataset: Dataset, name: str) -> None:
    file.base = name.rsplit("/", 1)[-1]
    if file.state != states.CHECKING:
        matching.unlink(file)
        matching.find_for(dataset, range(file.n, file.n + 1))
        db.session.refresh(file)


def mark_bag(dataset: Dataset) -> None:
    """The bag (BagIt) on disk is out of date: enqueue the job that writes it."""
    dataset.bag_dirty = True
    db.session.flush()
    job_queue.enqueue("bag", dataset_id=dataset.id, priority=3)
    enqueue_components(dataset)


def note_bag(dataset: Dataset) -> None:
    """The metadata of the bag changed and may change again soon: enqueue its writing with a delay."""
    if dataset.accession:
        dataset.bag_dirty = True
        db.session.flush()
        job_queue.enqueue("bag", dataset_id=dataset.id, priority=4, delay=BAG_DELAY_MS)


def enqueue_components(dataset: Dataset) -> None:
    """Enqueue the update of the metadata components that describe an accessioned dataset."""
    if dataset.accession:
        job_queue.enqueue("components", dataset_id=dataset.id, priority=4)


def touched(dataset: Dataset, *, actor: Account | None) -> None:
    """Files or text of a dataset changed: its version counts up and an approval is void, so that curators look anew."""
    if dataset.state == states.APPROVED:
        transitions.advance(dataset, "amend", actor=actor, submitted_at=clock.now())
    dataset.updated_at = clock.now()
    if dataset.state in (states.SUBMITTED, states.APPROVED):
        dataset.version += 1
    db.session.flush()
    note_bag(dataset)
    enqueue_components(dataset)


def refuse_released(dataset: Dataset) -> None:
    if dataset.state not in matching.OPEN_DATASETS:
        text = "This dataset is {state}: its files stand. Deposit a new one for other bytes."
        raise errors.Conflict(say("files_fixed", text, state=dataset.state))
