"""The files a dataset declares: added and edited. Their states are set by recompute_state() alone."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import aliased

from portal import clock, db, errors, states
from portal.domain.files import area_paths, belonging, file_state, matching
from portal.domain.shared import companions, history, job_queue, text_rules, transitions
from portal.domain.shared.path_names import IsFree
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


def add(
    dataset: Dataset, rows: Sequence[Mapping[str, object]], *, actor: Account | None, look_in_box: bool = True
) -> range:
    """Declare files; bytes may have come before or come later. They are looked for among what has come, unless
    `look_in_box` is false because they come just now. Returns their numbers. Raises Invalid with
    `files.<index>.<field>` sentences; then nothing is added."""
    refuse_released(dataset)
    if not rows:
        return range(0)
    if count(dataset) + len(rows) > MOST_FILES:
        raise errors.Invalid(say("too_many_files", "A dataset holds at most {most:,} files.", most=MOST_FILES))
    checked: list[dict[str, Any]] = []
    wrong: dict[str, Message] = {}
    taken = {name for name in db.session.scalars(living(dataset).with_only_columns(File.name).order_by(None))}
    given = {str(row.get("name") or "").strip() for row in rows}
    for index, row in enumerate(rows):
        values, faults = check(row, is_free=lambda name: name not in taken and name not in given)
        if not faults and values["name"] in taken:
            faults = {"name": name_taken(values["name"])}
        wrong |= {f"files.{index}.{field}": message for field, message in faults.items()}
        taken.add(values.get("name", ""))
        checked.append(values)
    wrong |= _crossings([values.get("name", "") for values in checked], taken)
    if wrong:
        text = "Some files could not be added; nothing was changed."
        raise errors.Invalid(say("files_not_added", text), fields=wrong)
    numbers = declare(dataset, checked)
    if look_in_box:
        matching.find_for(dataset, numbers)
    after = {"files": len(numbers), "first": checked[0]["name"], "n": numbers.start}
    history.record("add_files", actor=actor, dataset=dataset, after=after)
    touched(dataset, actor=actor)
    return numbers


def _crossings(names: list[str], every: set[str]) -> dict[str, Message]:
    """Faults of names that are both a file and a folder among all names of a dataset: run and run/a.csv can never both
    arrive."""
    above = {folder for name in every for folder in area_paths.above(name)}
    wrong: dict[str, Message] = {}
    for index, name in enumerate(names):
        if name in above:
            wrong[f"files.{index}.name"] = area_paths.is_folder(name)
        elif file := next((folder for folder in area_paths.above(name) if folder in every), None):
            wrong[f"files.{index}.name"] = area_paths.below_file(file)
    return wrong


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


def check(row: Mapping[str, object], *, is_free: IsFree | None = None) -> tuple[dict[str, Any], dict[str, Message]]:
    """Of one declared file the clean values, and a message for each field that breaks a rule. A name that is suggested
    is one that `is_free` takes."""
    values: dict[str, object] = {}
    faults: dict[str, Message] = {}

    def take(field: str, rule: Callable[[], object]) -> None:
        try:
            values[field] = rule()
        except errors.DomainError as error:
            faults[field] = error.whole

    take("name", lambda: _name(str(row.get("name") or "").strip(), is_free))
    take("declared_md5", lambda: text_rules.md5(row.get("md5", row.get("declared_md5"))))
    for field, longest in TEXT_LENGTHS.items():
        take(field, partial(text_rules.line, row.get(field), longest=longest))
    take("samples", lambda: number(row.get("samples")))
    take("unit", lambda: unit(row.get("unit")))
    return values, faults


def _name(given: str, is_free: IsFree | None) -> str:
    """The name of a declared file as it is stored. Raises BadName, for a companion too."""
    if companions.is_companion(given):
        raise errors.BadName(companions.refusal(given))
    return area_paths.clean(given, with_companions=False, is_free=is_free)


def number(value: object) -> int | None:
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


def unit(value: object) -> str:
    """What Number of Samples/Files counts: samples (the default) or files. Raises Invalid."""
    if value in (None, ""):
        return "samples"
    if value not in ("samples", "files"):
        raise errors.Invalid(say("unit_unknown", "The unit is samples or files."))
    return str(value)


def edit(file: File, changes: Mapping[str, object], *, actor: Account | None) -> File:
    """Change what is said of a file. A mended MD5 is compared at once with the stored digest; a new name finds its
    upload anew. The name of archived bytes stands."""
    dataset = db.session.get(Dataset, file.dataset_id)
    assert dataset is not None
    refuse_released(dataset)
    stored = {field: getattr(file, field) for field in EDITABLE_FIELDS}
    row = {**stored, "md5": stored["declared_md5"], **changes}
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
        fault = name_fault(dataset, changed["name"], besides=(file.id, file.replaces_id or 0))
        if fault is not None:
            raise errors.Invalid(fields={"name": fault})
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


def name_fault(dataset: Dataset, name: str, *, besides: tuple[int, ...]) -> Message | None:
    """What is wrong with giving a file of the dataset this name: another bears it, or it is a folder of another, or its
    folder is a file. Files in `besides` may bear it."""
    mine = living(dataset).with_only_columns(File.name).order_by(None).where(File.id.not_in(besides)).limit(1)
    if db.session.scalar(mine.where(File.name == name)):
        return name_taken(name)
    if db.session.scalar(mine.where(File.name > f"{name}/", File.name < f"{name}0")):
        return area_paths.is_folder(name)
    above = db.session.scalar(mine.where(File.name.in_(area_paths.above(name))))
    return area_paths.below_file(above) if above else None


def _rename(file: File, dataset: Dataset, name: str) -> None:
    file.base = name.rsplit("/", 1)[-1]
    if file.state != states.CHECKING:
        belonging.give_back(file)
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
    if dataset.state not in states.OPEN_DATASETS:
        text = "This dataset is {state}: its files stand. Deposit a new one for other bytes."
        raise errors.Conflict(say("files_fixed", text, state=dataset.state))
