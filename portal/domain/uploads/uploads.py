"""What arrives: recorded, resumed, cut. Names live in these rows; bytes lie under the token and are never renamed.

A later whole upload of a name takes the place of the earlier ones; a cut one never does.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update

from portal import clock, db, errors, states, storage
from portal.domain.accounts import accounts
from portal.domain.datasets import handover
from portal.domain.files import belonging, file_state, matching
from portal.domain.shared import history, transitions
from portal.messages import Message, say
from portal.models import Account, Dataset, File, Upload

GHOST_MS = 15_000
SILENT_MS = 15 * clock.MINUTE
NO_SUCH_UPLOAD = say("no_such_upload", "There is no such upload.")


@dataclass(frozen=True)
class Place:
    """A name in an area of a realm, or with `dataset_id` a name in a dataset, whose bytes lie in the realm."""

    area: str
    realm: str
    name: str
    dataset_id: int | None = None

    @property
    def base(self) -> str:
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Arrival:
    """The bytes of one upload session: first how far they are, then what they are, at last as what they are recorded.

    `size` is in bytes and `rate` in bytes a second; `offset` is where the bytes of a resumed one begin.
    `facts` and `received_at` are set once the bytes are durable; the digests stay None where a job must read them.
    """

    place: Place
    account_id: int
    center_id: int
    token: str
    fence: int
    via: str
    announced: int | None = None
    size: int = 0
    rate: int | None = None
    heard_at: int = 0
    began_at: int = 0
    offset: int = 0
    resumed: bool = False
    md5: str | None = None
    sha256: str | None = None
    facts: storage.Facts | None = None
    received_at: int = 0
    # Once recorded: the upload that has the bytes now (an earlier one where it has the same), and those that gave way.
    upload_id: int = 0
    replaced: tuple[int, ...] = ()


def sender(account_id: int) -> Account:
    """The account that sends, if it still may."""
    account = db.session.get(Account, account_id)
    if account is None or account.state != "active":
        raise errors.SignInNeeded(accounts.CLOSED)
    return account


def of_place(account_id: int, place: Place) -> tuple[ColumnElement[bool], ...]:
    """The conditions that an upload lies at a place: in a drop box, or sent for a dataset."""
    if place.dataset_id is not None:
        return Upload.dataset_id == place.dataset_id, Upload.name == place.name
    return *sent_as(account_id, place), belonging.BOX


def sent_as(account_id: int, place: Place) -> tuple[ColumnElement[bool], ...]:
    """The conditions that an upload was sent under a name of a drop box, wherever it belongs now."""
    return (
        Upload.account_id == account_id,
        Upload.area == place.area,
        Upload.realm == place.realm,
        Upload.name == place.name,
    )


def place_of(upload: Upload) -> Place:
    """Where an upload lies, or what it was sent for."""
    return Place(upload.area, upload.realm, upload.name, upload.dataset_id)


# What a dataset took from a drop box shows there until it is archived, behind what came under its name since.
SHOWS_IN_BOX = or_(belonging.BOX, and_(Upload.taken_at.is_not(None), Upload.state.in_(states.NAMED)))
_TAKEN = (Upload.dataset_id.is_not(None), Upload.taken_at.is_not(None), Upload.state.in_(states.NAMED))


def taken(account_id: int, place: Place) -> Upload | None:
    """The newest upload that left this name of a drop box for a dataset and is not archived yet: it still shows there,
    to be read and not to be changed."""
    query = select(Upload).where(*sent_as(account_id, place), *_TAKEN).order_by(Upload.id.desc())
    return db.session.scalars(query.limit(1)).first()


def find(account_id: int, place: Place) -> Upload | None:
    """The newest upload of a name that a client sees: whole or incomplete."""
    query = select(Upload).where(*of_place(account_id, place), Upload.state.in_(states.LISTED))
    return db.session.scalars(query.order_by(Upload.id.desc()).limit(1)).first()


def in_dataset(upload: Upload) -> errors.Conflict:
    """The refusal to change, under its old name, what belongs to a dataset."""
    dataset = db.session.get_one(Dataset, upload.dataset_id)
    text = "{name} belongs to {dataset} now. Change it there, or send it from the start."
    return errors.Conflict(say("bytes_taken", text, name=upload.name, dataset=handover.called(dataset)))


_CHECKED = (
    select(Dataset.accession, Dataset.title)
    .join(File, File.dataset_id == Dataset.id)
    .where(Dataset.id == bindparam("dataset_id"), File.name == bindparam("name"), File.state == states.CHECKING)
)


def refuse_frozen(account_id: int, place: Place) -> None:
    """Raises Frozen while the bytes of this name in a dataset are checked. In a drop box nothing blocks a name."""
    if place.dataset_id is None:
        return
    names = {"dataset_id": place.dataset_id, "name": place.name}
    row = db.session.connection().execute(_CHECKED, names).first()
    if row is not None:
        raise frozen(place.name, row.accession or row.title)


def frozen(name: str, dataset: str | None = None, *, archived: bool = False) -> errors.Frozen:
    """The refusal to touch bytes that the archive holds, or, 450 in FTP, a job that is soon through."""
    if archived:
        text = "{name} is archived. Remove or replace the file in its dataset first."
        return errors.Frozen(say("bytes_archived", text, name=name))
    where = f" in {dataset}" if dataset else ""
    text = "{name} is being checked{where}. Send it again in a moment, or remove or replace the file there first."
    error = errors.Frozen(say("bytes_frozen", text, name=name, where=where))
    error.ftp = 450
    return error


def bad_offset(message: Message) -> errors.Invalid:
    """A refusal of where a resume wants to go on, 554 in FTP."""
    error = errors.Invalid(message)
    error.ftp = 554
    return error


def keep(arrival: Arrival, *, make: bool = True) -> bool:
    """Write how far a session is; its row is made by the first heartbeat, unless `make` is false because the session is
    being recorded. False: another session took it over."""
    mine = update(Upload).where(
        Upload.token == arrival.token, Upload.state == states.RECEIVING, Upload.fence == arrival.fence
    )
    if db.change(mine.values(bytes_done=arrival.size, rate=arrival.rate, heard_at=arrival.heard_at)) == 1:
        return True
    row = db.session.scalar(select(Upload).where(Upload.token == arrival.token))
    if row is not None:
        return row.fence == arrival.fence
    if make:
        _insert(arrival)
    return True


def _insert(arrival: Arrival) -> Upload:
    row = Upload(**columns(arrival), state=states.RECEIVING, size=0)
    if row.dataset_id is not None and db.session.get(Dataset, row.dataset_id) is None:
        row.dataset_id = None  # it was discarded while they came
    db.session.add(row)
    db.session.flush()
    return row


def columns(arrival: Arrival) -> dict[str, object]:
    place = arrival.place
    return {
        "token": arrival.token,
        "account_id": arrival.account_id,
        "center_id": arrival.center_id,
        "realm": place.realm,
        "area": place.area,
        "dataset_id": place.dataset_id,
        "name": place.name,
        "base": place.base,
        "announced": arrival.announced,
        "via": arrival.via,
        "fence": arrival.fence,
        "bytes_done": arrival.size,
        "rate": arrival.rate,
        "heard_at": arrival.heard_at,
        "created_at": arrival.began_at,
    }


def row(arrival: Arrival) -> Upload:
    """The row of a session, made when there is none. Raises Fenced when it belongs to another session now."""
    row = db.session.scalar(
        select(Upload).where(Upload.token == arrival.token).execution_options(populate_existing=True)
    )
    if row is None:
        return _insert(arrival)
    if row.fence != arrival.fence or row.state != states.RECEIVING:
        raise errors.Fenced(say("upload_taken_over", "Another session took this upload over."))
    return row


def cut(arrival: Arrival, *, length: int, reason: str) -> bool:
    """A session ended early: its bytes stay `incomplete` with their true length, or nothing of it stays. Returns
    whether the bytes were still this session's."""
    row = db.session.scalar(select(Upload).where(Upload.token == arrival.token))
    if row is None and not length:
        return True
    if row is None:
        row = _insert(arrival)
    if row.fence != arrival.fence or row.state != states.RECEIVING:
        return False
    set_cut(row, length=length, reason=reason)
    return True


def set_cut(row: Upload, *, length: int, reason: str) -> None:
    """Mark a `receiving` row as cut; an earlier incomplete upload of the name gives way."""
    if not length:
        belonging.retire(row, "lose")
        return
    query = select(Upload).where(
        *of_place(row.account_id, place_of(row)), Upload.state == states.INCOMPLETE, Upload.id != row.id
    )
    for rival in db.session.scalars(query):
        belonging.retire(rival, "replace", by=row.id)
    bytes_left = {"size": length, "bytes_done": length, "rate": None, "md5": None, "sha256": None}
    transitions.transition(row, "cut", error="truncated_file", detail=reason, received_at=clock.now(), **bytes_left)
    history.record("cut", actor=None, upload=row, center_id=row.center_id, after={"size": length}, note=reason)


def silent() -> list[Upload]:
    """Sessions without a byte for so long that their process must be gone: a living one ends them much sooner."""
    query = select(Upload).where(Upload.state == states.RECEIVING, Upload.heard_at < clock.now() - SILENT_MS)
    return list(db.session.scalars(query.order_by(Upload.id).limit(1000)))


def digested(upload_id: int, *, md5: str, sha256: str, facts: storage.Facts) -> None:
    """A job has read the bytes again: the digest counts if they are still the bytes that were recorded."""
    row = db.session.get(Upload, upload_id, populate_existing=True)
    if row is None or row.state not in (states.RECEIVED, states.CHECKING):
        return
    row.md5, row.sha256, row.size = md5, sha256, facts.size
    row.inode, row.mtime_ns = facts.inode, facts.mtime_ns
    db.session.flush()
    history.record("digest", actor=None, upload=row, center_id=row.center_id, after={"md5": md5})
    file_state.recompute_state_of_upload(row)
    matching.claim(row)
