"""Which file means which upload of the drop box: by the exact path, else by a base name that only one bears.

Bytes that a dataset has change only by an act that names the dataset, or by a new arrival of that name while the file
waits or is red. Where several files could mean an upload, the declared MD5 decides; else it stays in the box, and the
area and the pages of the datasets ask.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.domain.files import belonging, file_state, sample_counts
from portal.domain.files.file_state import Arrived
from portal.domain.permissions import access
from portal.domain.shared import companions, history, job_queue, transitions
from portal.models import Dataset, File, Upload
from portal.models.datasets import WANTING

_BYTES = aliased(Upload)


class _Declared(NamedTuple):
    id: int
    name: str
    declared_md5: str | None


_WANTED = select(File.base).where(WANTING, File.base.in_(bindparam("bases", expanding=True))).distinct()
_CAME_AS = (
    select(Upload.name)
    .where(
        Upload.account_id.in_(bindparam("accounts", expanding=True)),
        Upload.area == "incoming",
        Upload.realm.in_(("open", "protected")),  # named, so that the index of names serves
        Upload.name.in_(bindparam("names", expanding=True)),
        Upload.dataset_id.is_not(None),
        Upload.state.in_(states.NAMED),
    )
    .distinct()
)


def claim_new(arrived: list[tuple[int, int, str]]) -> None:
    """New uploads of drop boxes as (id, account id, name): files that want them take them. Costs two look-ups where
    none does."""
    if not arrived:
        return
    connection = db.session.connection()
    bases = list({_base(name) for _id, _account, name in arrived})
    wanted = set(connection.execute(_WANTED, {"bases": bases}).scalars())
    names = {"accounts": list({row[1] for row in arrived}), "names": list({row[2] for row in arrived})}
    came_before = set(connection.execute(_CAME_AS, names).scalars())
    for upload_id, _account, name in arrived:
        if _base(name) in wanted or name in came_before:
            claim(db.session.get_one(Upload, upload_id))


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def claim(upload: Upload) -> bool:
    """Let the file that wants an upload of the drop box take it, if there is one and no doubt. Returns whether one
    did."""
    file = wanting(upload)
    return file is not None and belonging.take(file, upload)


def wanting(upload: Upload) -> File | None:
    """The one file that an upload of the drop box is for; None where there is none, or doubt."""
    if upload.dataset_id is not None or upload.area != "incoming" or companions.is_companion(upload.base):
        return None
    files = list(db.session.scalars(_wanting(upload).where(File.base == upload.base)).unique())
    named = [file for file in files if file.name == upload.name]
    if named:
        return _decided(named, upload)
    resent = list(db.session.scalars(_resent(upload)).unique())
    if resent:
        return _decided(resent, upload)
    waiting = [file for file in files if file.state == states.WAITING]
    return _decided(waiting, upload) if waiting and _count_of_base(upload) == 1 else None


def _wanting(upload: Upload) -> Select[File]:
    """Query of the waiting and red files, in datasets that the sender may edit, that these bytes fit."""
    return (
        select(File)
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(
            WANTING,
            access.editable_by(upload.account_id),
            Dataset.state.in_(states.OPEN_DATASETS),
            *_fitting(upload.realm),
        )
        .order_by(File.id)
    )


def _resent(upload: Upload) -> Select[File]:
    """Query of the red files whose bytes came under the very path that an upload has."""
    here = (
        _BYTES.account_id == upload.account_id,
        _BYTES.area == upload.area,
        _BYTES.realm == upload.realm,
        _BYTES.name == upload.name,
    )
    return _wanting(upload).join(_BYTES, _BYTES.id == File.upload_id).where(*here)


def _decided(files: list[File], upload: Upload) -> File | None:
    if len(files) == 1:
        return files[0]
    agreeing = [file for file in files if upload.md5 and file.declared_md5 == upload.md5]
    return agreeing[0] if len(agreeing) == 1 else None


def open_file_never_claims_protected_bytes(realm: str, access: str) -> bool:
    """Whether bytes of a realm may become part of a dataset of an access: protected ones of a controlled one alone."""
    return realm == "open" or access == "controlled"


def _fitting(realm: str) -> list[ColumnElement[bool]]:
    fits_all = open_file_never_claims_protected_bytes(realm, "open")
    return [] if fits_all else [Dataset.access == "controlled"]


def _count_of_base(upload: Upload) -> int:
    query = select(func.count()).where(
        Upload.account_id == upload.account_id,
        Upload.base == upload.base,
        Upload.area == "incoming",
        Upload.state.in_(states.NAMED),
        belonging.BOX,
    )
    return int(db.session.scalar(query) or 0)


def find_for(dataset: Dataset, numbers: range) -> None:
    """Take what already arrived for the waiting files of these numbers, in a handful of statements whatever their
    number. Only what turns red is recomputed one by one."""
    db.session.flush()
    _take_pairs(dataset, _undisputed(dataset, _pairs(dataset, numbers)))


def take_chosen(dataset: Dataset, numbers: range, uploads: list[Upload]) -> None:
    """Give uploads of drop boxes, which somebody chose, to the new files of these numbers, in their order."""
    db.session.flush()
    mine = select(File.id, File.name, File.declared_md5).where(File.dataset_id == dataset.id)
    within = mine.where(File.n >= numbers.start, File.n < numbers.stop).order_by(File.n)
    arrived = [
        Arrived(row.id, row.name, row.state, row.error, row.md5, row.sha256, row.size, row.member_count)
        for row in uploads
    ]
    declared = [_Declared(*row) for row in db.session.execute(within)]
    _take_pairs(dataset, list(zip(declared, arrived, strict=True)))


def _take_pairs(dataset: Dataset, pairs: list[tuple[_Declared, Arrived]]) -> None:
    right: list[dict[str, int]] = []
    packages: list[int] = []
    for file, upload in pairs:
        if file_state.judge(upload, file.declared_md5, dataset.state)[1] is None:
            right.append({"id": file.id, "bytes": upload.id})
            packages += [upload.id] if upload.members else []
        else:
            belonging.take(db.session.get_one(File, file.id), db.session.get_one(Upload, upload.id))
    _take_all(dataset, right)
    sample_counts.prefill(packages)


def _take_all(dataset: Dataset, pairs: list[dict[str, int]]) -> None:
    if not pairs:
        return
    state = file_state.whole(dataset.state)
    waiting, now = File.state == states.WAITING, clock.now()
    transitions.transition_each(
        File, file_state.MOVES[state], pairs, waiting, upload_id=bindparam("bytes"), updated_at=now
    )
    belonging.mark_taken(dataset, [pair["bytes"] for pair in pairs])
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


def _pairs(dataset: Dataset, numbers: range) -> list[tuple[_Declared, Arrived]]:
    """(file, upload) by exact path, else by a base name that only one upload of the box bears; each upload once."""
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
        .where(*_waiting(dataset, numbers), *in_box_for(dataset))
        .order_by(File.n, Upload.id)
    )
    candidates: dict[int, tuple[_Declared, list[Arrived]]] = {}
    for row in db.session.execute(query):
        file, upload = _Declared(*row[:3]), Arrived(*row[3:10], members=row.member_count)
        candidates.setdefault(file.id, (file, []))[1].append(upload)
    return _choose(candidates.values())


def _choose(candidates: Iterable[tuple[_Declared, list[Arrived]]]) -> list[tuple[_Declared, Arrived]]:
    """The one upload that each file means: exact paths first, so that no base name takes what another file names."""
    taken: set[int] = set()
    pairs: list[tuple[_Declared, Arrived]] = []
    left: list[tuple[_Declared, list[Arrived]]] = []
    for file, uploads in candidates:
        exact = [upload for upload in uploads if upload.name == file.name]
        chosen = _only(exact, file.declared_md5)
        if chosen is not None:
            taken.add(chosen.id)
            pairs.append((file, chosen))
        elif not exact:
            left.append((file, uploads))
    for file, uploads in left:
        chosen = _only(uploads, file.declared_md5)
        if chosen is not None and chosen.id not in taken:
            taken.add(chosen.id)
            pairs.append((file, chosen))
    return pairs


def _only(uploads: list[Arrived], declared_md5: str | None) -> Arrived | None:
    if len(uploads) == 1:
        return uploads[0]
    agreeing = [upload for upload in uploads if declared_md5 and upload.md5 == declared_md5]
    return agreeing[0] if len(agreeing) == 1 else None


def _undisputed(dataset: Dataset, pairs: list[tuple[_Declared, Arrived]]) -> list[tuple[_Declared, Arrived]]:
    """Of the pairs those whose upload no file of another dataset waits for under its path, unless the MD5 declared here
    agrees and none there does."""
    others: dict[int, list[str | None]] = {}
    for start in range(0, len(pairs), 500):
        ids = [upload.id for _file, upload in pairs[start : start + 500]]
        query = (
            select(Upload.id, File.declared_md5)
            .join(File, (File.base == Upload.base) & (File.name == Upload.name))
            .join(Dataset, Dataset.id == File.dataset_id)
            .where(
                Upload.id.in_(ids),
                WANTING,
                File.dataset_id != dataset.id,
                Dataset.state.in_(states.OPEN_DATASETS),
                access.editable_by(Upload.account_id),
                (Upload.realm == "open") | (Dataset.access == "controlled"),
            )
        )
        for upload_id, declared_md5 in db.session.execute(query):
            others.setdefault(upload_id, []).append(declared_md5)
    return [
        (file, upload)
        for file, upload in pairs
        if upload.id not in others
        or (upload.md5 and file.declared_md5 == upload.md5 and upload.md5 not in others[upload.id])
    ]


def in_box_for(dataset: Dataset) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the uploads in the drop boxes of a dataset's editors that a file of it could take."""
    chosen = (
        Upload.account_id.in_(access.editors(dataset)),
        Upload.area == "incoming",
        Upload.state.in_(file_state.LINKABLE),
        belonging.BOX,
        ~companions.among(Upload.base),
    )
    takes_all = open_file_never_claims_protected_bytes("protected", dataset.access)
    return chosen if takes_all else (*chosen, Upload.realm == "open")
