"""What arrives: recorded, resumed, cut. Names live in these rows; bytes lie under the token and are never renamed.

A later whole upload of a name takes the place of the earlier ones; a cut one never does.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from portal import clock, db, errors, states, storage
from portal.domain import history, jobs, matching
from portal.models import Account, Dataset, File, Upload

GHOST_MS = 15_000
SILENT_MS = 15 * clock.MINUTE


@dataclass(frozen=True)
class Place:
    """A name in an area of a realm."""

    area: str
    realm: str
    name: str

    @property
    def base(self) -> str:
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Standing:
    """How far a reception is: what the pulse writes."""

    place: Place
    account_id: int
    center_id: int
    token: str
    fence: int
    via: str
    announced: int | None
    size: int
    rate: int | None
    heard_at: int
    began_at: int


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


def sender(account_id: int) -> Account:
    """The account that sends, if it still may."""
    account = db.session.get(Account, account_id)
    if account is None or account.state != "active":
        raise errors.SignInNeeded("This account is closed.")
    return account


def _of(account_id: int, place: Place):
    return (Upload.account_id == account_id, Upload.area == place.area, Upload.realm == place.realm,
            Upload.name == place.name)  # fmt: skip


def find(account_id: int, place: Place) -> Upload | None:
    """The newest upload of a name that a client sees: whole or incomplete."""
    query = select(Upload).where(*_of(account_id, place), Upload.state.in_(states.LISTED))
    return db.session.scalars(query.order_by(Upload.id.desc()).limit(1)).first()


def find_resumable(account_id: int, place: Place) -> Upload | None:
    """The newest upload of a name whose bytes may grow. Raises Frozen, or GhostSession while another session sends."""
    refuse_frozen(account_id, place)
    query = select(Upload).where(*_of(account_id, place), Upload.state.in_((states.RECEIVING, *states.LISTED)))
    found = db.session.scalars(query.order_by(Upload.id.desc()).limit(1)).first()
    if found and found.state == states.RECEIVING and clock.now() - found.heard_at < GHOST_MS:
        raise errors.GhostSession("Another session is still sending this file. Try again in 15 s.")
    return found


_FROZEN = (
    select(Upload.state, Dataset.accession, Dataset.title)
    .outerjoin(File, File.upload_id == Upload.id)
    .outerjoin(Dataset, Dataset.id == File.dataset_id)
    .where(
        Upload.account_id == bindparam("account_id"), Upload.area == bindparam("area"),
        Upload.realm == bindparam("realm"), Upload.name == bindparam("name"), Upload.state.in_(states.FROZEN))
)  # fmt: skip


def refuse_frozen(account_id: int, place: Place) -> None:
    """Raises Frozen while bytes of this name are checked, or archived for a file that still stands."""
    if place.area != "incoming":
        return
    known = {"account_id": account_id, "area": place.area, "realm": place.realm, "name": place.name}
    for state, accession, title in db.session.connection().execute(_FROZEN, known):
        if state == states.CHECKING or accession:
            raise frozen(place.name, accession or title)


def frozen(name: str, dataset: str | None) -> errors.Frozen:
    where = f" in {dataset}" if dataset else ""
    return errors.Frozen(f"{name} is being checked or is archived{where}. Remove or replace the file there first.")


def bad_offset(sentence: str) -> errors.Invalid:
    error = errors.Invalid(sentence)
    error.ftp = 554
    return error


def keep(standing: Standing) -> bool:
    """Write how far a reception is; its row is made on the first pulse. False: another session took it over."""
    mine = update(Upload).where(Upload.token == standing.token, Upload.state == states.RECEIVING,
                                Upload.fence == standing.fence)  # fmt: skip
    if db.change(mine.values(bytes_done=standing.size, rate=standing.rate, heard_at=standing.heard_at)) == 1:
        return True
    row = db.session.scalar(select(Upload).where(Upload.token == standing.token))
    if row is not None:
        return row.fence == standing.fence
    _insert(standing)
    return True


def _insert(standing: Standing) -> Upload:
    row = Upload(**_columns(standing), state=states.RECEIVING, size=0)
    db.session.add(row)
    db.session.flush()
    return row


def _columns(standing: Standing) -> dict[str, Any]:
    place = standing.place
    return {
        "token": standing.token, "account_id": standing.account_id, "center_id": standing.center_id,
        "realm": place.realm, "area": place.area, "name": place.name, "base": place.base,
        "announced": standing.announced, "via": standing.via, "fence": standing.fence, "bytes_done": standing.size,
        "rate": standing.rate, "heard_at": standing.heard_at, "created_at": standing.began_at}  # fmt: skip


def _row(standing: Standing) -> Upload:
    """The row of a reception, made when there is none. Raises Fenced when it belongs to another session now."""
    row = db.session.scalar(
        select(Upload).where(Upload.token == standing.token).execution_options(populate_existing=True)
    )
    if row is None:
        return _insert(standing)
    if row.fence != standing.fence or row.state != states.RECEIVING:
        raise errors.Fenced("Another session took this upload over.")
    return row


_TAKEN = (*states.LIVE, states.ARCHIVED)
# Area and realm are named and the state is not, so that the index of names serves and not the one by state, which walks
# all uploads of an account.
_KNOWN = select(Upload.account_id, Upload.area, Upload.realm, Upload.name, Upload.state).where(
    Upload.account_id.in_(bindparam("accounts", expanding=True)), Upload.name.in_(bindparam("names", expanding=True)),
    Upload.area.in_(("incoming", "test")), Upload.realm.in_(("open", "protected")))  # fmt: skip
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
    names = {"accounts": list({one.standing.account_id for one in arrivals}),
             "names": list({one.standing.place.name for one in arrivals})}  # fmt: skip
    taken = {tuple(row)[:4] for row in connection.execute(_KNOWN, names) if row.state in _TAKEN}
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
    return _columns(arrival.standing) | {
        "state": states.RECEIVED, "received_at": arrival.at, "size": facts.size, "bytes_done": facts.size, "rate": None,
        "inode": facts.inode, "mtime_ns": facts.mtime_ns, "md5": arrival.md5, "sha256": arrival.sha256,
        "detail": "", "resumed": arrival.resumed}  # fmt: skip


def _receipt(arrival: Arrival, upload_id: int) -> Receipt:
    return Receipt(upload_id, arrival.standing.place.name, arrival.facts.size, arrival.md5, arrival.sha256)


def _note_arrivals(pairs: list[tuple[Arrival, int]]) -> None:
    history.append_all("receive", [
        {"upload_id": upload_id, "center_id": one.standing.center_id, "actor_id": one.standing.account_id,
         "after": {"name": one.standing.place.name, "size": one.facts.size, "md5": one.md5}}
        for one, upload_id in pairs])  # fmt: skip
    for one, upload_id in pairs:
        if one.sha256 is None:
            jobs.owe("digest", upload_id=upload_id)
    matching.claim_new([(upload_id, one.standing.account_id, one.standing.place.base)
                        for one, upload_id in pairs if one.standing.place.area == "incoming"])  # fmt: skip


def receive_known(arrival: Arrival) -> Receipt:
    standing = arrival.standing
    refuse_frozen(standing.account_id, standing.place)
    query = select(Upload).where(*_of(standing.account_id, standing.place), Upload.token != standing.token,
                                 Upload.state.in_(states.LISTED))  # fmt: skip
    rivals = list(db.session.scalars(query))
    same = next((rival for rival in rivals if _identical(rival, arrival)), None)
    if same is not None:
        return _keep_earlier(arrival, same, rivals)
    row = _row(standing)
    for rival in rivals:
        retire(rival, by=row.id)
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
            retire(rival, by=same.id)
    row = db.session.scalar(select(Upload).where(Upload.token == standing.token))
    if row is not None:
        retire(row, by=same.id)
    path = storage.area_path(standing.place.realm, standing.account_id, standing.token)
    db.on_commit(lambda: storage.remove(path))
    return Receipt(same.id, same.name, same.size, same.md5, same.sha256)


def _identical(rival: Upload, arrival: Arrival) -> bool:
    return rival.state == states.RECEIVED and rival.sha256 is not None and rival.sha256 == arrival.sha256


def retire(upload: Upload, *, by: int | None = None, state: str = states.OBSOLETE) -> None:
    """Take an upload out of its area; its bytes go once that is committed."""
    upload.state, upload.replaced_by = state, by
    path = storage.area_path(upload.realm, upload.account_id, upload.token)
    db.on_commit(lambda: storage.remove(path))
    db.session.flush()


def cut(standing: Standing, *, length: int, reason: str) -> None:
    """A reception ended early: its bytes stay `incomplete` with their true length, or nothing of it stays."""
    row = db.session.scalar(select(Upload).where(Upload.token == standing.token))
    if row is None and not length:
        return
    if row is None:
        row = _insert(standing)
    if row.fence != standing.fence or row.state != states.RECEIVING:
        return
    set_cut(row, length=length, reason=reason)


def set_cut(row: Upload, *, length: int, reason: str) -> None:
    """Mark a `receiving` row as cut; an earlier incomplete upload of the name gives way."""
    if not length:
        retire(row)
        return
    place = Place(row.area, row.realm, row.name)
    query = select(Upload).where(*_of(row.account_id, place), Upload.state == states.INCOMPLETE, Upload.id != row.id)
    for rival in db.session.scalars(query):
        retire(rival, by=row.id)
    row.state, row.size, row.bytes_done, row.rate = states.INCOMPLETE, length, length, None
    row.error, row.detail, row.md5, row.sha256 = "truncated_file", reason, None, None
    row.received_at = clock.now()
    db.session.flush()
    history.record("cut", actor=None, upload=row, center_id=row.center_id, after={"size": length}, note=reason)


def silent() -> list[Upload]:
    """Receptions without a byte for so long that their process must be gone: a living one ends them much sooner."""
    query = select(Upload).where(Upload.state == states.RECEIVING, Upload.heard_at < clock.now() - SILENT_MS)
    return list(db.session.scalars(query.order_by(Upload.id).limit(1000)))


def take_up(upload_id: int, *, fence: int, offset: int, via: str) -> Upload:
    """Go on with bytes that are here: the row is receiving again under a new fence, and its file waits."""
    sources = (states.RECEIVING, states.INCOMPLETE, states.RECEIVED, states.FAILED)
    mine = update(Upload).where(Upload.id == upload_id, Upload.fence == fence, Upload.state.in_(sources))
    taken = db.change(mine.values(state=states.RECEIVING, fence=fence + 1, heard_at=clock.now(), md5=None, sha256=None,
                                  resumed=True, via=via, bytes_done=offset, error=None, detail=""))  # fmt: skip
    if taken != 1:
        raise errors.GhostSession("Another session took this upload up. Try again in 15 s.")
    row = db.session.get(Upload, upload_id, populate_existing=True)
    assert row is not None
    history.record("resume", actor=None, upload=row, center_id=row.center_id, after={"offset": offset})
    matching.release(row)
    return row


def digested(upload_id: int, *, md5: str, sha256: str, facts: storage.Facts) -> None:
    """A job has read the bytes again: the digest counts if they are still the bytes that were recorded."""
    row = db.session.get(Upload, upload_id, populate_existing=True)
    if row is None or row.state not in (states.RECEIVED, states.CHECKING):
        return
    row.md5, row.sha256, row.size = md5, sha256, facts.size
    row.inode, row.mtime_ns = facts.inode, facts.mtime_ns
    db.session.flush()
    history.record("digest", actor=None, upload=row, center_id=row.center_id, after={"md5": md5})
    matching.settle_upload(row)
