"""What belongs to a dataset: uploads that leave the drop box for one of its files, and go back there.

A whole living upload has a dataset exactly while one of its files has the upload. How that file stands is said by
file_state.recompute_state() alone.
"""

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from portal import clock, db, states, storage
from portal.domain.files import file_state, sample_counts
from portal.domain.shared import history, transitions
from portal.models import Dataset, File, Upload

BOX = Upload.dataset_id.is_(None)
WANTING = (states.WAITING, states.FAILED, states.ERROR)


class _Lost(Exception):
    """Another process took the upload, or filled the file, first."""


def retire(upload: Upload, action: str, *, by: int | None = None) -> None:
    """Take an upload away for good; its bytes go once that is committed. `by`: the upload that replaces it."""
    transitions.transition(upload, action, replaced_by=by)
    path = storage.area_path(upload.realm, upload.account_id, upload.token)
    db.on_commit(lambda: storage.remove(path))


def take(file: File, upload: Upload) -> bool:
    """Give an upload of the drop box, or one that was sent for its dataset, to a file; what the file had gives way.
    False where another process was first: then nothing has changed."""
    earlier = file.upload
    try:
        with db.savepoint():
            _take(file, upload)
    except (_Lost, IntegrityError):
        db.session.refresh(file)
        db.session.refresh(upload)
        return False
    db.session.refresh(upload)
    if earlier is not None and earlier.id != upload.id:
        retire(earlier, "replace", by=upload.id)
    link(file, upload)
    return True


def _take(file: File, upload: Upload) -> None:
    db.session.flush()
    seen = File.upload_id == file.upload_id if file.upload_id else File.upload_id.is_(None)
    theirs = File.state.in_((*WANTING, states.RECEIVED))
    free = or_(BOX, Upload.dataset_id == file.dataset_id)
    now = clock.now() if upload.dataset_id is None else upload.taken_at
    taken = update(Upload).where(Upload.id == upload.id, free, Upload.state.in_(file_state.LINKABLE))
    if db.change(taken.values(dataset_id=file.dataset_id, taken_at=now)) != 1:
        raise _Lost
    if db.change(update(File).where(File.id == file.id, theirs, seen).values(upload_id=upload.id)) != 1:
        raise _Lost


def link(file: File, upload: Upload) -> None:
    """Say how a file stands that has an upload of its dataset now."""
    file.upload_id, file.upload = upload.id, upload
    db.session.flush()
    file_state.recompute_state(file)
    if upload.member_count:
        sample_counts.prefill([upload.id])


def let_go(upload: Upload) -> None:
    """The bytes of an upload grow again or are gone: its file waits."""
    for file in db.session.scalars(select(File).where(File.upload_id == upload.id)):
        if file.state != states.ARCHIVED:
            file.upload_id, file.upload = None, None
            db.session.flush()
            file_state.recompute_state(file)


def give_back(file: File) -> None:
    """What a file has and the archive has not goes back to the drop box of its sender; the file waits."""
    upload = file.upload
    file.upload_id, file.upload = None, None
    db.session.flush()
    if upload is not None and upload.state in states.NAMED:
        return_to_box(upload)
    file_state.recompute_state(file)


def return_to_box(upload: Upload) -> None:
    """An upload lies in the drop box of its sender again: under its name, else, where that is borne there meanwhile, in
    a folder of its own."""
    before = {"name": upload.name, "dataset": upload.dataset_id}
    name = name_in_box(upload)
    upload.dataset_id, upload.taken_at = None, None
    upload.name, upload.base = name, name.rsplit("/", 1)[-1]
    db.session.flush()
    history.record("return", actor=None, upload=upload, center_id=upload.center_id, before=before, after={"name": name})


def name_in_box(upload: Upload) -> str:
    """The name under which an upload can lie in the drop box of its sender."""
    mine = (
        Upload.account_id == upload.account_id,
        Upload.area == upload.area,
        Upload.realm == upload.realm,
        Upload.id != upload.id,
        Upload.state.in_(states.LISTED),
        BOX,
    )
    folders = ["/".join(upload.name.split("/")[:n]) for n in range(1, upload.name.count("/") + 1)]
    same = or_(
        Upload.name.in_([upload.name, *folders]),
        (Upload.name > f"{upload.name}/") & (Upload.name < f"{upload.name}0"),
    )
    borne = db.session.scalar(select(Upload.id).where(*mine, same).limit(1)) is not None
    return f"returned-{upload.id}/{upload.name}" if borne else upload.name


def give_all_back(dataset: Dataset) -> None:
    """Before a draft goes: all that was sent for it, or taken into it, lies in the drop boxes of its senders again."""
    query = select(Upload).where(Upload.dataset_id == dataset.id, Upload.state.in_(states.LISTED)).order_by(Upload.id)
    for upload in list(db.session.scalars(query)):
        return_to_box(upload)
    db.change(update(Upload).where(Upload.dataset_id == dataset.id).values(dataset_id=None, taken_at=None))


def give_back_many(file_ids: list[int]) -> None:
    """What these files have and the archive has not goes back, before they leave their dataset."""
    query = select(Upload).join(File, File.upload_id == Upload.id)
    of_some = query.where(File.id.in_(file_ids), Upload.state.in_(states.NAMED)).order_by(Upload.id)
    for upload in list(db.session.scalars(of_some)):
        return_to_box(upload)


def mark_taken(dataset: Dataset, upload_ids: list[int]) -> None:
    """These uploads of the drop box belong to a dataset now, and its files have them."""
    for start in range(0, len(upload_ids), 500):
        some = Upload.id.in_(upload_ids[start : start + 500])
        db.session.execute(update(Upload).where(some, BOX).values(dataset_id=dataset.id, taken_at=clock.now()))
