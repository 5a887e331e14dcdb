"""Which upload a declared file means: its exact path in the area, else the only upload of that base name.

Every change of a file's state through its bytes goes through file_state.recompute_state().
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.domain.files import file_state, sample_counts
from portal.domain.shared import companions, history, job_queue, transitions
from portal.models import Dataset, File, Upload

_CLAIMER = aliased(File)
_HOLDER, _WANTING = aliased(File), aliased(File)


class _Declared(NamedTuple):
    id: int
    name: str
    declared_md5: str | None


_WAITED_FOR = (
    select(Dataset.account_id, File.base)
    .join(File, File.dataset_id == Dataset.id)
    .where(
        File.state == states.WAITING,
        File.base.in_(bindparam("bases", expanding=True)),
        Dataset.account_id.in_(bindparam("accounts", expanding=True)),
    )
    .distinct()
)
_CLAIMED = select(File.upload_id).where(File.upload_id.in_(bindparam("ids", expanding=True)))


def follow(upload: Upload, replaced: list[int]) -> None:
    """The file that claimed an upload of this name before claims the newer one."""
    query = select(File).where(File.upload_id.in_(replaced), File.state != states.ARCHIVED).order_by(File.id).limit(1)
    file = db.session.scalar(query) if replaced else None
    if file is not None:
        link(file, upload)


def is_claimed(upload: Upload) -> bool:
    return db.session.scalar(select(File.id).where(File.upload_id == upload.id).limit(1)) is not None


def claim_new(arrived: list[tuple[int, int, str]]) -> None:
    """New uploads as (id, account id, base name): files that wait for their names claim them. Costs one look-up where
    none waits."""
    if not arrived:
        return
    connection = db.session.connection()
    accounts, bases = {account for _id, account, _base in arrived}, {base for _id, _account, base in arrived}
    waited = {tuple(row) for row in connection.execute(_WAITED_FOR, {"accounts": list(accounts), "bases": list(bases)})}
    claimable = [upload_id for upload_id, account, base in arrived if (account, base) in waited]
    if not claimable:
        return
    claimed = set(connection.execute(_CLAIMED, {"ids": claimable}).scalars())
    for upload_id in claimable:
        if upload_id not in claimed:
            claim(db.session.get_one(Upload, upload_id))


def claim(upload: Upload) -> None:
    """Let the file that waits for this upload's name claim it, if there is one and no doubt."""
    may = upload.area == "incoming" and not companions.is_companion(upload.base)
    file = _waiting_for(upload) if may else None
    if file is not None:
        link(file, upload)


def _waiting_for(upload: Upload) -> File | None:
    query = (
        select(File)
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(
            File.state == states.WAITING,
            File.base == upload.base,
            File.upload_id.is_(None),
            Dataset.account_id == upload.account_id,
            Dataset.state.in_(states.OPEN_DATASETS),
            *_fitting(upload),
        )
        .order_by(File.id)
    )
    candidates = list(db.session.scalars(query))
    exact = [file for file in candidates if file.name == upload.name]
    if exact:
        return exact[0]
    if len(candidates) == 1 and count_of_base(upload.account_id, upload.base) == 1:
        return candidates[0]
    return None


def open_file_never_claims_protected_bytes(realm: str, access: str) -> bool:
    """Whether bytes of a realm may become part of a dataset of an access: protected ones of a controlled one alone."""
    return realm == "open" or access == "controlled"


def _fitting(upload: Upload) -> list[ColumnElement[bool]]:
    fits_all = open_file_never_claims_protected_bytes(upload.realm, "open")
    return [] if fits_all else [Dataset.access == "controlled"]


def count_of_base(account_id: int, base: str) -> int:
    query = select(func.count()).where(
        Upload.account_id == account_id, Upload.base == base, Upload.area == "incoming", Upload.state.in_(states.NAMED)
    )
    return int(db.session.scalar(query) or 0)


def link(file: File, upload: Upload) -> None:
    """Let a file claim an upload, and say how it stands then."""
    file.upload_id, file.upload = upload.id, upload
    db.session.flush()
    file_state.recompute_state(file)
    if upload.member_count:
        sample_counts.prefill([upload.id])


def find_for(dataset: Dataset, numbers: range) -> None:
    """Link what already arrived to the waiting files of these numbers, in a handful of statements whatever their
    number. Only what turns red is recomputed one by one."""
    db.session.flush()
    _give_back(dataset, numbers)
    pairs, right, packages = _pairs(dataset, numbers), [], []
    for file, upload in pairs:
        if file_state.judge(upload, file.declared_md5, dataset.state)[1] is None:
            right.append({"id": file.id, "bytes": upload.id})
            packages += [upload.id] if upload.members else []
        else:
            link(db.session.get_one(File, file.id), db.session.get_one(Upload, upload.id))
    _link_all(dataset, right)
    sample_counts.prefill(packages)


def _link_all(dataset: Dataset, pairs: list[dict[str, Any]]) -> None:
    if not pairs:
        return
    state = file_state.whole(dataset.state)
    waiting, now = File.state == states.WAITING, clock.now()
    transitions.transition_each(
        File, file_state.MOVES[state], pairs, waiting, upload_id=bindparam("bytes"), updated_at=now
    )
    before = {"state": states.WAITING}
    history.append_all(
        "file",
        [
            {
                "center_id": dataset.center_id,
                "dataset_id": dataset.id,
                "file_id": pair["id"],
                "upload_id": pair["bytes"],
                "before": before,
                "after": {"state": state, "error": None},
            }
            for pair in pairs
        ],
    )
    if state == states.CHECKING:
        job_queue.enqueue("archive", dataset_id=dataset.id, priority=2)


def _waiting(dataset: Dataset, numbers: range) -> tuple[ColumnElement[bool], ...]:
    return (
        File.dataset_id == dataset.id,
        File.n >= numbers.start,
        File.n < numbers.stop,
        File.state == states.WAITING,
        File.upload_id.is_(None),
    )


def _pairs(dataset: Dataset, numbers: range) -> list[tuple[Any, Any]]:
    """(file, upload) by exact path, else by a base name that only one free upload bears; each upload once."""
    query = (
        select(
            File.id,
            File.name,
            File.declared_md5,
            Upload.id,
            Upload.name,
            Upload.state,
            Upload.error,
            Upload.md5,
            Upload.sha256,
            Upload.size,
            Upload.member_count,
        )
        .join(Upload, Upload.base == File.base)
        .outerjoin(_CLAIMER, _CLAIMER.upload_id == Upload.id)
        .where(*_waiting(dataset, numbers), *free(dataset), _CLAIMER.id.is_(None))
        .order_by(File.n, Upload.id)
    )
    candidates: dict[int, tuple[Any, list[Any]]] = {}
    for row in db.session.execute(query):
        file, upload = _Declared(*row[:3]), file_state.Arrived(*row[3:10], members=row.member_count)
        candidates.setdefault(file.id, (file, []))[1].append(upload)
    return _choose(list(candidates.values()))


def _choose(candidates: list[tuple[Any, list[Any]]]) -> list[tuple[Any, Any]]:
    taken: set[int] = set()
    pairs = []
    for file, uploads in candidates:
        exact = [upload for upload in uploads if upload.name == file.name]
        chosen = exact[-1] if exact else uploads[0] if len(uploads) == 1 else None
        if chosen is not None and chosen.id not in taken:
            taken.add(chosen.id)
            pairs.append((file, chosen))
    return pairs


def _give_back(dataset: Dataset, numbers: range) -> None:
    """An exact path wins: an upload that another file only claims by its base name is free for it."""
    query = (
        select(_HOLDER)
        .join(Upload, Upload.id == _HOLDER.upload_id)
        .join(_WANTING, _WANTING.name == Upload.name)
        .where(
            _WANTING.dataset_id == dataset.id,
            _WANTING.n >= numbers.start,
            _WANTING.n < numbers.stop,
            _WANTING.state == states.WAITING,
            Upload.account_id == dataset.account_id,
            _HOLDER.name != Upload.name,
            _HOLDER.base == _WANTING.base,
            Upload.base == _WANTING.base,
            _HOLDER.state.in_((states.RECEIVED, states.FAILED, states.ERROR)),
        )
    )
    for file in db.session.scalars(query).unique().all():
        unlink(file)


def free(dataset: Dataset) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the owner's uploads that a file of this dataset could claim, if no other file does."""
    chosen = (
        Upload.account_id == dataset.account_id,
        Upload.area == "incoming",
        Upload.state.in_(file_state.LINKABLE),
        ~companions.among(Upload.base),
    )
    takes_all = open_file_never_claims_protected_bytes("protected", dataset.access)
    return chosen if takes_all else (*chosen, Upload.realm == "open")


def release(upload: Upload) -> None:
    """The bytes of an upload are no longer whole or no longer there: its file waits again."""
    for file in db.session.scalars(select(File).where(File.upload_id == upload.id)):
        if file.state != states.ARCHIVED:
            unlink(file)


def unlink(file: File) -> None:
    file.upload_id, file.upload = None, None
    db.session.flush()
    file_state.recompute_state(file)
