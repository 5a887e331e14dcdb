"""What lies in the place of a dataset, renamed and removed by who sends for it: each names the dataset, and touches no
other. Archived bytes are not touched here."""

from sqlalchemy import ColumnElement, delete, func, select

from portal import clock, db, errors, states
from portal.domain.datasets import handover
from portal.domain.files import area_paths, belonging, bulk_edit, files, matching
from portal.domain.shared import history
from portal.domain.uploads import dataset_place, folders, replacements, uploads
from portal.messages import say
from portal.models import Account, Dataset, DatasetFolder, File, Upload


def remove(dataset: Dataset, name: str, *, actor: Account) -> None:
    """Remove the bytes of a file that is not archived. A file of which nothing was said goes with them; another waits.
    Raises NotFound, Frozen, Conflict for an archived one."""
    file = dataset_place.file_named(dataset, name)
    if file is None or (file.upload is None and file.state != states.ARCHIVED):
        folders.drop(_of_no_file(dataset, name, actor), actor=actor)
        return
    _refuse_held(file, dataset)
    upload = file.upload
    assert upload is not None
    history.record("remove", actor=actor, dataset=dataset, file=file, upload=upload, before={"name": name})
    belonging.retire(upload, "remove")
    belonging.let_go(upload)
    _forget(file, dataset, actor=actor)


def rename(dataset: Dataset, old: str, new: str, *, actor: Account) -> int:
    """Give a file with its bytes, or all in a folder, another name. One file takes the place of what has the new name,
    as if it were sent under it. Returns how many; raises NotFound, BadName, Conflict, Frozen."""
    if new.startswith(f"{old}/"):
        text = "{new} lies in {old} itself. Choose another folder."
        raise errors.Invalid(say("move_into_itself", text, new=new, old=old))
    file = dataset_place.file_named(dataset, old)
    if file is not None and (file.upload is not None or file.state == states.ARCHIVED):
        _rename(file, dataset, area_paths.clean(new, with_companions=False), actor=actor)
        return 1
    below = files.living(dataset).where(File.name > f"{old}/", File.name < f"{old}0")
    inside = list(db.session.scalars(below).unique())
    made = list(db.session.scalars(select(DatasetFolder).where(*_at_or_below(dataset, old))))
    if not inside and not made:
        _rename_loose(dataset, old, new, actor=actor)
        return 1
    for row in inside:
        _rename(row, dataset, area_paths.clean(new + row.name[len(old) :], with_companions=False), actor=actor)
    for folder in made:
        db.session.delete(folder)
        db.session.flush()
        db.session.merge(DatasetFolder(dataset_id=dataset.id, path=new + folder.path[len(old) :], made_at=clock.now()))
    db.session.flush()
    return max(len(inside), 1)


def take_many(dataset: Dataset, chosen: list[Upload], *, actor: Account) -> int:
    """Give chosen uploads of drop boxes to a dataset, each under its name: to the file that waits for it or is red,
    else to a new one. Returns how many; raises Invalid for names that good files have, and then nothing is taken."""
    names = [upload.name for upload in chosen]
    declared = {file.name: file for file in _files_named(dataset, names)}
    good = [file.name for file in declared.values() if file.state not in belonging.WANTING]
    if good:
        text = "{name} is a file of this dataset already. To take the newer bytes, open its page and use them."
        raise errors.Invalid(say("chosen_name_taken", text, name=good[0]))
    new = [upload for upload in chosen if upload.name not in declared]
    numbers = files.add(dataset, [{"name": upload.name} for upload in new], actor=actor, look_in_box=False)
    matching.take_chosen(dataset, numbers, new)
    for upload in chosen:
        if upload.name in declared:
            _fill(declared[upload.name], upload)
    return len(chosen)


def _files_named(dataset: Dataset, names: list[str]) -> list[File]:
    found: list[File] = []
    for start in range(0, len(names), 500):
        found += db.session.scalars(files.lasting(dataset).where(File.name.in_(names[start : start + 500]))).unique()
    return found


def use(file: File, upload: Upload, *, actor: Account) -> File:
    """Let a file take an upload of the drop box that came under its name: a newer one than it has, or one of several
    that it could mean. Archived bytes are replaced as by a replacement. Raises Conflict, Frozen, NotReady."""
    dataset = db.session.get_one(Dataset, file.dataset_id)
    refuse_for(dataset, upload)
    if file.state == states.CHECKING:
        raise uploads.frozen(file.name, dataset.accession)
    if file.state == states.ARCHIVED:
        file = replacements.replace(file, actor=actor, look_in_box=False)
    _fill(file, upload)
    history.record("use", actor=actor, dataset=dataset, file=file, upload=upload, after={"name": upload.name})
    return file


def replace_with(file: File, upload: Upload, *, md5: str | None, actor: Account) -> File:
    """Let the bytes of an upload that was chosen take the place of a file, under the name that they came by. Returns
    the file that has them; raises as replacements.replace() does."""
    refuse_for(db.session.get_one(Dataset, file.dataset_id), upload)
    new = replacements.replace(file, actor=actor, name=upload.name, md5=md5, look_in_box=False)
    db.session.refresh(upload)
    if new.upload_id != upload.id:
        _fill(new, upload)
    return new


def take_in(dataset: Dataset, upload: Upload, name: str, *, actor: Account) -> File:
    """Give an upload of the actor's drop box to a dataset, under a name there; what has the name gives way as it would
    to new bytes. Raises Conflict for protected bytes and an open dataset, NotReady for a cut upload, Frozen."""
    refuse_for(dataset, upload)
    place = dataset_place.admit(actor.id, dataset.id, name)
    file = _place_for(dataset, place.name, actor=actor)
    _fill(file, upload)
    return file


def refuse_for(dataset: Dataset, upload: Upload) -> None:
    """Raises Conflict, or NotReady, where a dataset cannot take an upload."""
    files.refuse_released(dataset)
    if upload.state not in (states.RECEIVED, states.FAILED):
        text = "{name} has not arrived whole. Resume or remove it first."
        raise errors.NotReady(say("source_not_whole", text, name=upload.name))
    if upload.dataset_id is not None:
        raise uploads.in_dataset(upload)
    if not matching.open_file_never_claims_protected_bytes(upload.realm, dataset.access):
        text = "{name} came by the protected area, whose files go into controlled datasets only."
        raise errors.Conflict(say("take_protected_bytes", text, name=upload.name))


def make_folder(dataset: Dataset, path: str) -> None:
    """Remember an empty folder. Raises BadName, Conflict where something of that name is there."""
    name = area_paths.clean(path)
    if db.session.get(DatasetFolder, (dataset.id, name)) is not None:
        raise errors.Conflict(say("folder_exists", "There is a folder {name} already.", name=name))
    taken = files.living(dataset).with_only_columns(File.name).order_by(None)
    at_or_above = db.session.scalar(taken.where(File.name.in_([name, *area_paths.above(name)])).limit(1))
    if at_or_above is not None:
        raise errors.Conflict(area_paths.below_file(at_or_above))
    db.session.add(DatasetFolder(dataset_id=dataset.id, path=name, made_at=clock.now()))
    db.session.flush()


def remove_folder(dataset: Dataset, path: str) -> None:
    """Forget an empty folder. Raises Conflict while something is in it, NotFound."""
    inside = files.living(dataset).where(File.name > f"{path}/", File.name < f"{path}0", File.upload_id.is_not(None))
    deeper = select(DatasetFolder).where(*_at_or_below(dataset, path), DatasetFolder.path != path)
    if db.session.scalars(inside.limit(1)).first() or db.session.scalars(deeper.limit(1)).first():
        raise errors.Conflict(say("folder_not_empty", "The folder {name} is not empty.", name=path))
    gone = delete(DatasetFolder).where(DatasetFolder.dataset_id == dataset.id, DatasetFolder.path == path)
    if not db.change(gone):
        raise errors.NotFound(say("no_such_folder", "There is no folder {name}.", name=path))


def _at_or_below(dataset: Dataset, path: str) -> tuple[ColumnElement[bool], ...]:
    length = func.length(path)
    below = func.substr(DatasetFolder.path, 1, length + 1) == f"{path}/"
    return DatasetFolder.dataset_id == dataset.id, (DatasetFolder.path == path) | below


def _of_no_file(dataset: Dataset, name: str, actor: Account) -> Upload:
    """What lies in the place without being a file: cut uploads, and companions. Raises NotFound."""
    query = select(Upload).where(
        Upload.dataset_id == dataset.id,
        Upload.name == name,
        Upload.account_id == actor.id,
        Upload.state.in_(states.LISTED),
    )
    upload = db.session.scalars(query.order_by(Upload.id.desc()).limit(1)).first()
    if upload is None or folders.is_claimed(upload):
        raise errors.NotFound(say("no_such_path", "There is no {name}.", name=name))
    return upload


def _refuse_held(file: File, dataset: Dataset) -> None:
    if file.state == states.CHECKING:
        raise uploads.frozen(file.name, dataset.accession)
    if file.state == states.ARCHIVED:
        text = "{name} is archived in {dataset}. Delete or replace it on the page of the dataset."
        raise errors.Conflict(say("archived_in_place", text, name=file.name, dataset=handover.called(dataset)))


def _rename(file: File, dataset: Dataset, name: str, *, actor: Account) -> None:
    _refuse_held(file, dataset)
    if name == file.name:
        return
    other = dataset_place.file_named(dataset, name)
    if other is None:
        _call(file, dataset, name, actor=actor)
        return
    upload = file.upload
    if upload is None:  # of a folder: what only waits takes nothing's place
        raise errors.Conflict(files.name_taken(name))
    target = _place_for(dataset, name, actor=actor)
    file.upload_id, file.upload = None, None
    db.session.flush()
    _fill(target, upload)
    _forget(file, dataset, actor=actor)


def _call(file: File, dataset: Dataset, name: str, *, actor: Account) -> None:
    """Another name for a file and its bytes."""
    fault = files.name_fault(dataset, name, besides=(file.id, file.replaces_id or 0))
    if fault is not None:
        raise errors.Conflict(fault)
    before = file.name
    file.name, file.base, file.updated_at = name, name.rsplit("/", 1)[-1], clock.now()
    db.session.flush()
    history.record("edit_file", actor=actor, dataset=dataset, file=file, before={"name": before}, after={"name": name})
    files.touched(dataset, actor=actor)


def _rename_loose(dataset: Dataset, old: str, new: str, *, actor: Account) -> None:
    upload, name = _of_no_file(dataset, old, actor), area_paths.clean(new)
    if dataset_place.file_named(dataset, name) is not None:
        text = "{name} has not arrived whole, so it does not take the place of {target}. Send it from the start."
        raise errors.NotReady(say("cut_takes_no_place", text, name=old, target=name))
    upload.name, upload.base = name, name.rsplit("/", 1)[-1]
    db.session.flush()


def _place_for(dataset: Dataset, name: str, *, actor: Account) -> File:
    """The file of a name that can take bytes, declared now if need be; of an archived one its successor."""
    file = dataset_place.file_named(dataset, name)
    if file is None:
        numbers = files.add(dataset, [{"name": name}], actor=actor, look_in_box=False)
        return files.by_number(dataset, numbers.start)
    if file.state == states.CHECKING:
        raise uploads.frozen(name, dataset.accession)
    if file.state == states.ARCHIVED:
        return replacements.replace(file, actor=actor, look_in_box=False)
    return file


def _fill(file: File, upload: Upload) -> None:
    """Let a file take an upload; where it has the same bytes already, those stay, under their earlier number."""
    earlier = file.upload
    if earlier is not None and earlier.sha256 is not None and earlier.sha256 == upload.sha256:
        belonging.retire(upload, "replace", by=earlier.id)
    elif not belonging.take(file, upload):
        raise uploads.frozen(file.name)


def _forget(file: File, dataset: Dataset, *, actor: Account) -> None:
    """A file without bytes leaves if nothing was said of it, or if it was to replace one that stays; else it waits."""
    db.session.refresh(file)
    said = file.title or file.description or file.declared_md5 or file.samples is not None
    if said and file.replaces_id is None:
        belonging.give_back(file)
    else:
        bulk_edit.remove(dataset, [file.id], actor=actor)
