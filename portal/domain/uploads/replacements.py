"""A file replaced in place: what is said of it is kept, and archived bytes stay until the new ones are archived too.

The new bytes get a number of their own, for an accession never means other bytes than it did.
"""

from sqlalchemy import select

from portal import clock, db, errors, states
from portal.domain.files import belonging, files, matching
from portal.domain.shared import history, transitions
from portal.messages import say
from portal.models import Account, Dataset, File


def replace(
    file: File, *, actor: Account | None, name: str = "", md5: str | None = None, look_in_box: bool = True
) -> File:
    """Let other bytes take the place of a file. `name` is where they are or will be uploaded (empty: the same name),
    `md5` is theirs. They are looked for among what has come, unless `look_in_box` is false because they come just now.
    Returns the file that waits for them: of an archived file its successor, else the file itself.
    Raises Conflict (it has a successor), Frozen (being archived), Invalid."""
    dataset = db.session.get_one(Dataset, file.dataset_id)
    files.refuse_released(dataset)
    changes = {"name": name.strip() or file.name, "md5": md5}
    if file.state == states.CHECKING:
        raise errors.Frozen(
            say("replaced_while_archived", "{name} is being archived just now. Replace it in a moment.", name=file.name)
        )
    if file.state != states.ARCHIVED:
        return files.edit(file, changes, actor=actor)
    replacement = successor(file)
    if replacement is not None:
        raise errors.Conflict(
            say(
                "replaced_already",
                "File -{n:02d} is to replace it already. Send its bytes, or delete -{n:02d}.",
                n=replacement.n,
            )
        )
    new = _declare(file, dataset, changes)
    if look_in_box:
        matching.find_for(dataset, range(new.n, new.n + 1))
        db.session.refresh(new)
    history.record(
        "replace_file",
        actor=actor,
        dataset=dataset,
        file=new,
        before={"n": file.n, "name": file.name},
        after={"n": new.n, "name": new.name},
    )
    files.touched(dataset, actor=actor)
    return new


def successor(file: File) -> File | None:
    return db.session.scalar(select(File).where(File.replaces_id == file.id))


def _declare(file: File, dataset: Dataset, changes: dict[str, str | None]) -> File:
    values, faults = files.check({field: getattr(file, field) for field in files.DESCRIPTIVE_FIELDS} | changes)
    if not faults and (fault := files.name_fault(dataset, values["name"], besides=(file.id,))):
        faults = {"name": fault}
    if faults:
        raise errors.Invalid(fields=faults)
    numbers = files.declare(dataset, [values | {"replaces_id": file.id}])
    return files.by_number(dataset, numbers.start)


def complete(dataset: Dataset, file_ids: list[int]) -> None:
    """These files are archived: what they replace is replaced, and leaves with the next bag."""
    chosen = select(File).where(File.id.in_(file_ids), File.replaces_id.is_not(None))
    for new in list(db.session.scalars(chosen.execution_options(populate_existing=True))):
        old = db.session.get(File, new.replaces_id, populate_existing=True)
        if old is not None and old.state not in states.DEAD_FILES:
            _set_aside(old, new, dataset)
        new.replaces_id = None
        db.session.flush()


def _set_aside(old: File, new: File, dataset: Dataset) -> None:
    before, upload = old.state, old.upload
    transitions.transition(old, "replace", replaced_by=new.id, updated_at=clock.now())
    if upload is not None:
        belonging.retire(upload, "replace", by=new.upload_id)
    db.session.flush()
    history.record(
        "file",
        actor=None,
        dataset=dataset,
        file=old,
        upload=upload,
        before={"state": before},
        after={"state": states.REPLACED, "replaced_by": new.n},
    )
