"""The files a dataset declares: added, edited, removed. How one stands is said by matching.recompute_state() alone."""

from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import aliased

from portal import clock, db, errors, states
from portal.domain.files import area_paths, matching
from portal.domain.shared import history, job_queue, text_rules, transitions
from portal.models import Account, Dataset, File

TEXTS = {"title": 300, "description": 2000, "data_type": 100}
SAID = (*TEXTS, "samples", "unit")
NAMED = ("name", "declared_md5", *SAID)
MOST_FILES = 200_000
CALM = 5_000


def living(dataset: Dataset):
    """Query of the files that still belong to a dataset, in order."""
    return select(File).where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES)).order_by(File.n)


def lasting(dataset: Dataset):
    """living() without the files whose successor is declared: each name once."""
    heir = aliased(File)
    return living(dataset).where(~select(heir.id).where(heir.replaces_id == File.id).exists())


def count(dataset: Dataset, *in_states: str) -> int:
    """How many files stand in these states; without any, how many there are."""
    query = select(func.count()).select_from(File).where(File.dataset_id == dataset.id)
    chosen = File.state.in_(in_states) if in_states else File.state.not_in(states.DEAD_FILES)
    return int(db.session.scalar(query.where(chosen)) or 0)


def by_number(dataset: Dataset, n: int) -> File:
    file = db.session.scalar(select(File).where(File.dataset_id == dataset.id, File.n == n))
    if file is None or file.state in states.DEAD_FILES:
        raise errors.NotFound(f"This dataset has no file {n}.")
    return file


def add(dataset: Dataset, rows: list[dict[str, Any]], *, actor: Account | None) -> range:
    """Declare files; bytes may have come before or come later. Returns their numbers. Raises Invalid with
    `files.<index>.<field>` sentences; then nothing is added."""
    refuse_released(dataset)
    if not rows:
        return range(0)
    if count(dataset) + len(rows) > MOST_FILES:
        raise errors.Invalid(f"A dataset holds at most {MOST_FILES:,} files.")
    checked: list[dict[str, Any]] = []
    wrong: dict[str, str] = {}
    taken = {name for name in db.session.scalars(living(dataset).with_only_columns(File.name).order_by(None))}
    for index, row in enumerate(rows):
        values, faults = check(row)
        if not faults and values["name"] in taken:
            faults = {"name": f"{values['name']} is declared already."}
        wrong |= {f"files.{index}.{field}": sentence for field, sentence in faults.items()}
        taken.add(values.get("name", ""))
        checked.append(values)
    if wrong:
        raise errors.Invalid("Some files could not be added; nothing was changed.", fields=wrong)
    numbers = declare(dataset, checked)
    matching.find_for(dataset, numbers)
    after = {"files": len(numbers), "first": checked[0]["name"], "n": numbers.start}
    history.record("add_files", actor=actor, dataset=dataset, after=after)
    touched(dataset, actor=actor)
    return numbers


def declare(dataset: Dataset, checked: list[dict[str, Any]]) -> range:
    """Rows of checked values, by their numbers. No object a file: a dataset may declare a hundred thousand at once."""
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
    """The files of consecutive numbers."""
    return list(db.session.scalars(living(dataset).where(File.n >= numbers.start, File.n < numbers.stop)))


def check(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """One declared file: its clean values, and a sentence for each field that breaks a rule."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}

    def take(field: str, rule) -> None:
        try:
            values[field] = rule()
        except errors.DomainError as error:
            faults[field] = error.sentence

    take("name", lambda: area_paths.clean(str(row.get("name") or "").strip()))
    take("declared_md5", lambda: text_rules.md5(row.get("md5", row.get("declared_md5"))))
    for field, longest in TEXTS.items():
        take(field, lambda field=field, longest=longest: text_rules.line(row.get(field), longest=longest))
    take("samples", lambda: number(row.get("samples")))
    take("unit", lambda: unit(row.get("unit")))
    return values, faults


def number(value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        count = int(str(value))
    except ValueError:
        raise errors.Invalid("Number of Samples/Files is a whole number.") from None
    if not 0 <= count <= 10**9:
        raise errors.Invalid("Number of Samples/Files is between 0 and 1,000,000,000.")
    return count


def unit(value: Any) -> str:
    if value in (None, ""):
        return "samples"
    if value not in ("samples", "files"):
        raise errors.Invalid("The unit is samples or files.")
    return str(value)


def edit(file: File, changes: dict[str, Any], *, actor: Account | None) -> File:
    """Change what is said of a file. A mended MD5 is compared at once with the stored digest; a new name finds its
    upload anew. The name of archived bytes stands."""
    dataset = db.session.get(Dataset, file.dataset_id)
    assert dataset is not None
    refuse_released(dataset)
    known = {field: getattr(file, field) for field in NAMED}
    row = known | {"md5": known["declared_md5"]} | changes
    values, faults = check(row)
    if row["name"] == file.name:
        faults.pop("name", None)  # a file may have been declared before its name was kept for something else
    if faults:
        raise errors.Invalid(fields=faults)
    changed = {field: value for field, value in values.items() if value != known[field]}
    if not changed:
        return file
    if file.state == states.ARCHIVED and "name" in changed:
        raise errors.Frozen(
            f"{file.name} is archived under this name. Replace it, or add a new file and delete this one."
        )
    if file.state == states.ARCHIVED and changed.get("declared_md5") not in (None, file.md5):
        raise errors.Conflict(f"The archived file has the MD5 {file.md5}; replace it.")
    if "name" in changed:
        _refuse_taken(file, dataset, changed["name"])
    for field, value in changed.items():
        setattr(file, field, value)
    file.updated_at = clock.now()
    before = {field: known[field] for field in changed}
    history.record("edit_file", actor=actor, dataset=dataset, file=file, before=before, after=changed)
    if "name" in changed:
        _rename(file, dataset, changed["name"])
    db.session.flush()
    matching.recompute_state(file)
    touched(dataset, actor=actor)
    return file


def _refuse_taken(file: File, dataset: Dataset, name: str) -> None:
    """Raises Invalid where another file bears the name; that whose place this one takes may."""
    others = File.id.not_in((file.id, file.replaces_id or 0))
    if db.session.scalar(living(dataset).with_only_columns(File.id).where(File.name == name, others)):
        raise errors.Invalid(fields={"name": f"{name} is declared already."})


def _rename(file: File, dataset: Dataset, name: str) -> None:
    file.base = name.rsplit("/", 1)[-1]
    if file.state != states.CHECKING:
        matching.unlink(file)
        matching.find_for(dataset, range(file.n, file.n + 1))
        db.session.refresh(file)


def mark_bag(dataset: Dataset) -> None:
    """The bag on disk no longer says what the catalogue says: enqueue a new one."""
    dataset.bag_dirty = True
    db.session.flush()
    job_queue.enqueue("bag", dataset_id=dataset.id, priority=3)
    enqueue_components(dataset)


def note_bag(dataset: Dataset) -> None:
    """What the bag says besides its bytes changed, and will again: write it when that has calmed down."""
    if dataset.accession:
        dataset.bag_dirty = True
        db.session.flush()
        job_queue.enqueue("bag", dataset_id=dataset.id, priority=4, delay=CALM)


def enqueue_components(dataset: Dataset) -> None:
    """The components of a dataset follow it: what they say and how they stand."""
    if dataset.accession:
        job_queue.enqueue("components", dataset_id=dataset.id, priority=4)


def touched(dataset: Dataset, *, actor: Account | None) -> None:
    """A change of its files or text: a curator who looked before must look again, and an approval is void."""
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
        raise errors.Conflict(f"This dataset is {dataset.state}: its files stand. Deposit a new one for other bytes.")
