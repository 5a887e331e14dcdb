"""Bytes that are durable on disk, recorded: many small ones in a handful of statements, known names one by one."""

from dataclasses import replace

from sqlalchemy import bindparam, insert, select

from portal import clock, db, states, storage
from portal.domain.files import belonging, inspection_results, matching
from portal.domain.shared import companions, history, job_queue, transitions
from portal.domain.uploads import dataset_place, ftp_drops, uploads
from portal.domain.uploads.uploads import Arrival
from portal.models import File, Upload

_KNOWN = select(Upload.account_id, Upload.area, Upload.realm, Upload.name, Upload.state).where(
    Upload.account_id.in_(bindparam("accounts", expanding=True)),
    Upload.name.in_(bindparam("names", expanding=True)),
    Upload.area.in_(("incoming", "test")),
    Upload.realm.in_(("open", "protected")),
)
_INSERT = insert(Upload).returning(Upload.id, sort_by_parameter_order=True)


def receive_new(arrivals: list[Arrival]) -> list[Arrival | None]:
    """Record at once all for drop boxes whose name was not here before: the way of most small files, in a handful of
    statements whatever their number. None for each of the others, and for the later ones of a name that comes twice."""
    # 5.1 Which of the names are new?
    connection = db.session.connection()
    names = {
        "accounts": list({arrival.account_id for arrival in arrivals}),
        "names": list({arrival.place.name for arrival in arrivals}),
    }
    taken = {tuple(row)[:4] for row in connection.execute(_KNOWN, names) if row.state in states.LIVE}
    fresh: list[Arrival] = []
    for arrival in arrivals:
        key = (arrival.account_id, arrival.place.area, arrival.place.realm, arrival.place.name)
        if key not in taken and arrival.place.dataset_id is None:
            taken.add(key)
            fresh.append(arrival)
    if not fresh:
        return [None] * len(arrivals)
    # 5.2 Their rows.
    ids = connection.execute(_INSERT, [_whole(arrival) for arrival in fresh]).scalars().all()
    recorded = {id(arrival): replace(arrival, upload_id=row_id) for arrival, row_id in zip(fresh, ids, strict=True)}
    # 5.3 What follows from them: events, jobs, files that waited.
    _follow_up(list(recorded.values()))
    return [recorded.get(id(arrival)) for arrival in arrivals]


def _whole(arrival: Arrival) -> dict[str, object]:
    """The columns of a new row in state `received`."""
    return uploads.columns(arrival) | _of_bytes(arrival) | {"state": states.RECEIVED, "rate": None, "detail": ""}


def _of_bytes(arrival: Arrival) -> dict[str, object]:
    """The columns that say what the bytes are."""
    facts = arrival.facts
    assert facts is not None
    return {
        "received_at": arrival.received_at,
        "size": facts.size,
        "bytes_done": facts.size,
        "inode": facts.inode,
        "mtime_ns": facts.mtime_ns,
        "md5": arrival.md5,
        "sha256": arrival.sha256,
        "resumed": arrival.resumed,
    }


def _follow_up(arrivals: list[Arrival]) -> None:
    """An event for each recorded arrival, a digest job where bytes must be read again, and the files that waited."""
    history.append_all("receive", [_event(arrival) for arrival in arrivals])
    for arrival in arrivals:
        if arrival.sha256 is None:
            job_queue.enqueue("digest", upload_id=arrival.upload_id)
        ftp_drops.notice(arrival)
    matching.claim_new(
        [
            (arrival.upload_id, arrival.account_id, arrival.place.name)
            for arrival in arrivals
            if arrival.place.area == "incoming" and arrival.place.dataset_id is None
        ]
    )
    inspection_results.enqueue_survey()


def _event(arrival: Arrival) -> dict[str, object]:
    return {
        "upload_id": arrival.upload_id,
        "center_id": arrival.center_id,
        "actor_id": arrival.account_id,
        "after": {"name": arrival.place.name, "size": arrival.size, "md5": arrival.md5},
    }


def receive_known(arrival: Arrival) -> Arrival:
    """Record durable bytes by themselves: for a dataset, or of a name that was here before. Raises Frozen while the
    file of that name is being archived, Fenced when another session took these over."""
    if arrival.place.dataset_id is None or companions.is_companion(arrival.place.name):
        return _receive_at_place(arrival)
    file = dataset_place.file_for(arrival)
    if file is None:
        return _receive_at_place(dataset_place.into_box(arrival))
    return _receive_for(file, arrival)


def _receive_for(file: File, arrival: Arrival) -> Arrival:
    """Bytes that were sent for a dataset, for this file of it."""
    cut = Upload.state == states.INCOMPLETE
    query = select(Upload).where(*uploads.of_place(arrival.account_id, arrival.place), cut)
    rivals = list(db.session.scalars(query.where(Upload.token != arrival.token)))
    earlier = file.upload
    if earlier is not None and (file.state == states.ARCHIVED or _is_same(earlier, arrival)):
        return _keep_earlier(arrival, earlier, rivals)
    row = _receive_row(arrival, rivals)
    if not belonging.take(file, row):
        raise uploads.frozen(arrival.place.name)
    replaced = [rival.id for rival in (*rivals, earlier) if rival is not None]
    recorded = replace(arrival, upload_id=row.id, replaced=tuple(replaced))
    _follow_up([recorded])
    return recorded


def _receive_row(arrival: Arrival, rivals: list[Upload]) -> Upload:
    """5.2 The row, and what it replaces."""
    row = uploads.row(arrival)
    for rival in rivals:
        belonging.retire(rival, "replace", by=row.id)
    transitions.transition(row, "receive", error=None, detail="", rate=None, **_of_bytes(arrival))
    return row


def _receive_at_place(arrival: Arrival) -> Arrival:
    query = select(Upload).where(
        *uploads.of_place(arrival.account_id, arrival.place),
        Upload.token != arrival.token,
        Upload.state.in_(states.LISTED),
    )
    rivals = list(db.session.scalars(query))
    # 5.1 The same bytes are here already: those stay.
    same = next((rival for rival in rivals if _is_same(rival, arrival)), None)
    if same is not None:
        return _keep_earlier(arrival, same, rivals)
    row = _receive_row(arrival, rivals)
    # 5.3 What follows from it: events, jobs, a file that takes it.
    recorded = replace(arrival, upload_id=row.id, replaced=tuple(rival.id for rival in rivals))
    _follow_up([recorded])
    return replace(recorded, upload_id=keep_once(row).id)


def keep_once(upload: Upload) -> Upload:
    """What nobody takes, and what a dataset has already that took it from this very name, goes: the earlier one, which
    shows under the name as before, has its bytes. Returns the one that stays."""
    if upload.dataset_id is not None or upload.sha256 is None:
        return upload
    query = select(Upload).where(
        *uploads.sent_as(upload.account_id, uploads.place_of(upload)),
        Upload.dataset_id.is_not(None),
        Upload.state.in_(states.NAMED),
        Upload.sha256 == upload.sha256,
    )
    same = db.session.scalars(query.order_by(Upload.id).limit(1)).first()
    if same is None:
        return upload
    same.taken_at = same.taken_at or clock.now()
    belonging.retire(upload, "replace", by=same.id)
    return same


def _keep_earlier(arrival: Arrival, same: Upload, rivals: list[Upload]) -> Arrival:
    """The same bytes were here whole: what came now goes, and so does a cut upload of the name."""
    for rival in rivals:
        if rival is not same:
            belonging.retire(rival, "replace", by=same.id)
    row = db.session.scalar(select(Upload).where(Upload.token == arrival.token))
    if row is not None:
        belonging.retire(row, "replace", by=same.id)
    path = storage.area_path(arrival.place.realm, arrival.account_id, arrival.token)
    db.on_commit(lambda: storage.remove(path))
    return replace(arrival, upload_id=same.id)


def _is_same(upload: Upload, arrival: Arrival) -> bool:
    """Whether an upload has whole the bytes that arrived."""
    return upload.state == states.RECEIVED and upload.sha256 is not None and upload.sha256 == arrival.sha256
