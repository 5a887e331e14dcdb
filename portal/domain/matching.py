"""Which upload a declared file means: its exact path in the area, else the only upload of that base name.

Every change of a file's state through its bytes goes through settle().
"""

from collections.abc import Iterable

from sqlalchemy import bindparam, func, select

from portal import clock, db, states
from portal.domain import diagnosis, history, jobs
from portal.models import Dataset, File, Upload

OPEN_DATASETS = (states.DRAFT, states.RETURNED, states.SUBMITTED, states.APPROVED)
LINKABLE = (states.RECEIVED, states.FAILED)
# States in which a dataset's bytes go on to the archive as they arrive.
IN_HAND = (states.SUBMITTED, states.APPROVED)


_WAITED_FOR = (
    select(Dataset.account_id, File.base)
    .join(File, File.dataset_id == Dataset.id)
    .where(File.state == states.WAITING, File.base.in_(bindparam("bases", expanding=True)),
           Dataset.account_id.in_(bindparam("accounts", expanding=True)))
    .distinct()
)  # fmt: skip
_CLAIMED = select(File.upload_id).where(File.upload_id.in_(bindparam("ids", expanding=True)))


def follow(upload: Upload, replaced: list[int]) -> None:
    """The file that claimed an upload of this name before claims the newer one."""
    query = select(File).where(File.upload_id.in_(replaced), File.state != states.ARCHIVED).order_by(File.id).limit(1)
    file = db.session.scalar(query) if replaced else None
    if file is not None:
        link(file, upload)


def claim_new(arrived: list[tuple[int, int, str]]) -> None:
    """New uploads as (id, account id, base name): files that wait for their names claim them. Costs one look-up where
    none waits."""
    if not arrived:
        return
    connection = db.session.connection()
    known = {"accounts": list({account for _id, account, _base in arrived}), "bases": list({one[2] for one in arrived})}
    waited = {tuple(row) for row in connection.execute(_WAITED_FOR, known)}
    wanted = [upload_id for upload_id, account, base in arrived if (account, base) in waited]
    if not wanted:
        return
    claimed = set(connection.execute(_CLAIMED, {"ids": wanted}).scalars())
    for upload_id in wanted:
        if upload_id not in claimed:
            claim(db.session.get_one(Upload, upload_id))


def claim(upload: Upload) -> None:
    """Let the file that waits for this upload's name claim it, if there is one and no doubt."""
    file = _waiting_for(upload) if upload.area == "incoming" else None
    if file is not None:
        link(file, upload)


def _waiting_for(upload: Upload) -> File | None:
    query = (
        select(File)
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(File.state == states.WAITING, File.base == upload.base, File.upload_id.is_(None),
               Dataset.account_id == upload.account_id, Dataset.state.in_(OPEN_DATASETS),
               *_fitting(upload))
        .order_by(File.id)
    )  # fmt: skip
    candidates = list(db.session.scalars(query))
    exact = [file for file in candidates if file.name == upload.name]
    if exact:
        return exact[0]
    if len(candidates) == 1 and count_of_base(upload.account_id, upload.base) == 1:
        return candidates[0]
    return None


def _fitting(upload: Upload) -> list:
    """Bytes from the protected realm never become part of an open dataset."""
    return [Dataset.access == "controlled"] if upload.realm == "protected" else []


def count_of_base(account_id: int, base: str) -> int:
    query = select(func.count()).where(Upload.account_id == account_id, Upload.base == base,
                                       Upload.area == "incoming", Upload.state.in_(states.NAMED))  # fmt: skip
    return int(db.session.scalar(query) or 0)


def link(file: File, upload: Upload) -> None:
    """Let a file claim an upload, and say how it stands then."""
    file.upload_id, file.upload = upload.id, upload
    db.session.flush()
    settle(file)


def find_for(files: list[File], dataset: Dataset) -> None:
    """Link what already arrived to files that wait, with one query a thousand names."""
    waiting = [file for file in files if file.state == states.WAITING and file.upload_id is None]
    for start in range(0, len(waiting), 1000):
        _find_some(waiting[start : start + 1000], dataset)


def _find_some(files: list[File], dataset: Dataset) -> None:
    _give_back({file.name for file in files}, dataset.account_id)
    by_name, by_base = arrived(dataset, {file.base for file in files})
    taken: set[int] = set()
    for file in files:
        found = by_name.get(file.name)
        others = by_base.get(file.base, [])
        if found is None and len(others) == 1:
            found = others[0]
        if found is not None and found.id not in taken:
            taken.add(found.id)
            link(file, found)


def _give_back(names: set[str], account_id: int) -> None:
    """An exact path wins: an upload that another file only claims by its base name is free for it."""
    query = (
        select(File)
        .join(Upload, Upload.id == File.upload_id)
        .where(Upload.account_id == account_id, Upload.name.in_(names), File.name != Upload.name,
               File.state.in_((states.RECEIVED, states.FAILED, states.ERROR)))
    )  # fmt: skip
    for file in db.session.scalars(query).unique().all():
        unlink(file)


def arrived(dataset: Dataset, bases: Iterable[str]) -> tuple[dict[str, Upload], dict[str, list[Upload]]]:
    """The owner's uploads that no file claims, by name and by base name."""
    query = (
        select(Upload)
        .outerjoin(File, File.upload_id == Upload.id)
        .where(Upload.account_id == dataset.account_id, Upload.area == "incoming", Upload.base.in_(list(bases)),
               Upload.state.in_(LINKABLE), File.id.is_(None))
        .order_by(Upload.id)
    )  # fmt: skip
    if dataset.access != "controlled":
        query = query.where(Upload.realm == "open")
    by_name: dict[str, Upload] = {}
    by_base: dict[str, list[Upload]] = {}
    for upload in db.session.scalars(query):
        by_name[upload.name] = upload
        by_base.setdefault(upload.base, []).append(upload)
    return by_name, by_base


def release(upload: Upload) -> None:
    """The bytes of an upload are no longer whole or no longer there: its file waits again."""
    for file in db.session.scalars(select(File).where(File.upload_id == upload.id)):
        if file.state != states.ARCHIVED:
            unlink(file)


def unlink(file: File) -> None:
    file.upload_id, file.upload = None, None
    db.session.flush()
    settle(file)


def settle_upload(upload: Upload) -> None:
    for file in db.session.scalars(select(File).where(File.upload_id == upload.id)):
        settle(file)


def settle(file: File) -> None:
    """The one place that says how a file stands, from its upload, its declared MD5 and its dataset."""
    if file.state in (*states.DEAD_FILES, states.ARCHIVED):
        return
    state, error = _judge(file)
    if state == states.CHECKING:
        jobs.owe("archive", dataset_id=file.dataset_id, priority=2)
    if (state, error) == (file.state, file.error) and error is None:
        return
    before = file.state
    file.state, file.error, file.updated_at = state, error, clock.now()
    file.comment = diagnosis.quick(file) if error else ""
    db.session.flush()
    dataset = db.session.get(Dataset, file.dataset_id)
    assert dataset is not None
    history.record("file", actor=None, dataset=dataset, file=file, upload=file.upload, before={"state": before},
                   after={"state": state, "error": error})  # fmt: skip
    if error == "md5_mismatch":
        jobs.owe("diagnose", dataset_id=dataset.id, key=f"diagnose:{file.id}", upload_id=file.upload_id, priority=4)


def _judge(file: File) -> tuple[str, str | None]:
    upload = file.upload
    if upload is None or upload.state not in (*LINKABLE, states.CHECKING):
        return states.WAITING, None
    if upload.state == states.FAILED:
        content = upload.error not in (None, "copy_error", "failure_during_copy")
        return (states.ERROR if content else states.FAILED), upload.error
    if upload.sha256 is not None and upload.size == 0:
        return states.ERROR, "empty_file"
    if upload.md5 is not None and file.declared_md5 and upload.md5 != file.declared_md5:
        return states.FAILED, "md5_mismatch"
    dataset = db.session.get(Dataset, file.dataset_id)
    if dataset is not None and dataset.state in IN_HAND:
        return states.CHECKING, None
    return states.RECEIVED, None
