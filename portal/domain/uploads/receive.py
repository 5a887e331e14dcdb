"""Bytes that are durable on disk, recorded: many small ones in a handful of statements, known names one by one."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select

from portal import db, states, storage
from portal.domain.files import inspection_results, matching
from portal.domain.shared import history, job_queue
from portal.domain.uploads import ftp_drops, uploads
from portal.domain.uploads.uploads import Standing
from portal.models import Upload


@dataclass(frozen=True)
class Arrival:
    """Bytes that are durable on disk and wait to be recorded. Digests are None when they must be read again."""

    standing: Standing
    md5: str | None
    sha256: str | None
    facts: storage.Facts
    resumed: bool
    at: int


@dataclass(frozen=True)
class Receipt:
    """What the sender is told."""

    upload_id: int
    name: str
    size: int
    md5: str | None
    sha256: str | None
    replaced: list[int] = field(default_factory=list)


_TAKEN = (*states.LIVE, states.ARCHIVED)
_KNOWN = select(Upload.account_id, Upload.area, Upload.realm, Upload.name, Upload.state).where(
    Upload.account_id.in_(bindparam("accounts", expanding=True)),
    Upload.name.in_(bindparam("names", expanding=True)),
    Upload.area.in_(("incoming", "test")),
    Upload.realm.in_(("open", "protected")),
)
_INSERT = insert(Upload).returning(Upload.id, sort_by_parameter_order=True)


def receive(arrival: Arrival) -> Receipt:
    """Record bytes that are durable: the later whole upload of a name wins, a waiting file claims it, and what must be
    read again is owed to a job. Identical bytes sent again keep the earlier upload."""
    found = receive_new([arrival])[0]
    return found if found is not None else receive_known(arrival)


def receive_new(arrivals: list[Arrival]) -> list[Receipt | None]:
    """Record at once all whose name was not here before: the way of most small files, in a handful of statements
    whatever their number. None for each of the others."""
    connection = db.session.connection()
    known = {
        "accounts": list({one.standing.account_id for one in arrivals}),
        "names": list({one.standing.place.name for one in arrivals}),
    }
    taken = {tuple(row)[:4] for row in connection.execute(_KNOWN, known) if row.state in _TAKEN}
    fresh: list[Arrival] = []
    for one in arrivals:
        place = one.standing.place
        key = (one.standing.account_id, place.area, place.realm, place.name)
        if key not in taken:
            taken.add(key)
            fresh.append(one)
    if not fresh:
        return [None] * len(arrivals)
    ids = connection.execute(_INSERT, [_whole(one) for one in fresh]).scalars().all()
    _note_arrivals(list(zip(fresh, ids, strict=True)))
    receipts = {id(one): _receipt(one, upload_id) for one, upload_id in zip(fresh, ids, strict=True)}
    return [receipts.get(id(one)) for one in arrivals]


def _whole(arrival: Arrival) -> dict[str, Any]:
    facts = arrival.facts
    return uploads.columns(arrival.standing) | {
        "state": states.RECEIVED,
        "received_at": arrival.at,
        "size": facts.size,
        "bytes_done": facts.size,
        "rate": None,
        "inode": facts.inode,
        "mtime_ns": facts.mtime_ns,
        "md5": arrival.md5,
        "sha256": arrival.sha256,
        "detail": "",
        "resumed": arrival.resumed,
    }


def _receipt(arrival: Arrival, upload_id: int) -> Receipt:
    return Receipt(upload_id, arrival.standing.place.name, arrival.facts.size, arrival.md5, arrival.sha256)


def _note_arrivals(pairs: list[tuple[Arrival, int]]) -> None:
    history.append_all(
        "receive",
        [
            {
                "upload_id": upload_id,
                "center_id": one.standing.center_id,
                "actor_id": one.standing.account_id,
                "after": {"name": one.standing.place.name, "size": one.facts.size, "md5": one.md5},
            }
            for one, upload_id in pairs
        ],
    )
    for one, upload_id in pairs:
        if one.sha256 is None:
            job_queue.enqueue("digest", upload_id=upload_id)
        ftp_drops.notice(upload_id, one.standing)
    matching.claim_new(
        [
            (upload_id, one.standing.account_id, one.standing.place.base)
            for one, upload_id in pairs
            if one.standing.place.area == "incoming"
        ]
    )
    inspection_results.ask()


def receive_known(arrival: Arrival) -> Receipt:
    standing = arrival.standing
    uploads.refuse_frozen(standing.account_id, standing.place)
    query = select(Upload).where(
        *uploads.of_place(standing.account_id, standing.place),
        Upload.token != standing.token,
        Upload.state.in_(states.LISTED),
    )
    rivals = list(db.session.scalars(query))
    same = next((rival for rival in rivals if _identical(rival, arrival)), None)
    if same is not None:
        return _keep_earlier(arrival, same, rivals)
    row = uploads.row(standing)
    for rival in rivals:
        uploads.retire(rival, by=row.id)
    row.state, row.received_at = states.RECEIVED, arrival.at
    row.size = row.bytes_done = arrival.facts.size
    row.inode, row.mtime_ns = arrival.facts.inode, arrival.facts.mtime_ns
    row.md5, row.sha256, row.resumed = arrival.md5, arrival.sha256, arrival.resumed
    row.error, row.detail, row.rate = None, "", None
    db.session.flush()
    matching.follow(row, [rival.id for rival in rivals])
    _note_arrivals([(arrival, row.id)])
    return Receipt(row.id, row.name, row.size, row.md5, row.sha256, [rival.id for rival in rivals])


def _keep_earlier(arrival: Arrival, same: Upload, rivals: list[Upload]) -> Receipt:
    """The same bytes were here whole: what came now goes, and so does a cut upload of the name."""
    standing = arrival.standing
    for rival in rivals:
        if rival is not same:
            uploads.retire(rival, by=same.id)
    row = db.session.scalar(select(Upload).where(Upload.token == standing.token))
    if row is not None:
        uploads.retire(row, by=same.id)
    path = storage.area_path(standing.place.realm, standing.account_id, standing.token)
    db.on_commit(lambda: storage.remove(path))
    return Receipt(same.id, same.name, same.size, same.md5, same.sha256)


def _identical(rival: Upload, arrival: Arrival) -> bool:
    return rival.state == states.RECEIVED and rival.sha256 is not None and rival.sha256 == arrival.sha256
