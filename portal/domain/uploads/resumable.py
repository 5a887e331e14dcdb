"""Resumable uploads: announced first, then their bytes in as many pieces as the connection allows. Each piece goes
through an upload session, so that what is acknowledged is on disk, synced and recorded."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from portal import clock, db, errors, states, storage
from portal.config import settings
from portal.domain.accounts import quotas
from portal.domain.files import area_paths, files
from portal.domain.permissions import access
from portal.domain.shared import text_rules
from portal.domain.uploads import dataset_place, folders, uploads
from portal.domain.uploads.uploads import Place
from portal.messages import say
from portal.models import Account, Dataset, File, Resumable, Upload

LARGEST = 1 << 42
WHOLE = (states.RECEIVED, states.CHECKING, states.FAILED, states.ARCHIVED)


class Locked(errors.Conflict):
    """Another request is sending to this upload."""

    status, title, code = 423, "Another request is sending to this upload", "locked"
    topic = "online"


class Expired(errors.Gone):
    title, code = "This upload is no longer here", "gone"
    topic = "quota"


@dataclass(frozen=True)
class ResumableProgress:
    """How far a resumable upload is, in bytes that are on disk; the upload they became once all are there, and whether
    its announcement knows of it."""

    offset: int
    upload_id: int | None = None
    settled: bool = False

    @property
    def done(self) -> bool:
        return self.upload_id is not None


def announce(
    *,
    actor: Account,
    name: str,
    length: int,
    realm: str = "open",
    md5: str | None = None,
    dataset: str = "",
    described: str = "",
) -> Resumable:
    """Make room for an upload. An earlier announcement of the name gives way; its bytes stay until the new ones are
    whole. Raises BadName, TooLarge, QuotaExceeded, DiskFull, Frozen, Invalid, NotFound."""
    if realm not in ("open", "protected"):
        raise errors.Invalid(say("realm_unknown", "The realm is open or protected."))
    if length > LARGEST:
        raise errors.TooLarge(say("file_too_large", "One file has at most {most:,} bytes.", most=LARGEST))
    chosen = access.load(dataset, actor=actor, right="edit") if dataset else None
    place = _admit(actor, chosen, realm, name)
    storage.check_room(place.realm, length)
    left = quotas.allowance(actor.center, place.realm, actor.id)
    if left is not None and length > left:
        raise quotas.exceeded(place.realm)
    into = Resumable.dataset_id == chosen.id if chosen is not None else Resumable.dataset_id.is_(None)
    mine = (Resumable.account_id == actor.id, Resumable.realm == place.realm, Resumable.name == place.name, into)
    db.change(delete(Resumable).where(*mine))
    row = Resumable(
        key=storage.token(),
        account_id=actor.id,
        realm=place.realm,
        name=place.name,
        length=length,
        md5=text_rules.md5(md5),
        dataset_id=chosen.id if chosen else None,
        described=text_rules.line(described, longest=300),
        created_at=clock.now(),
        expires_at=clock.now() + settings().incomplete_days * clock.DAY,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _admit(actor: Account, dataset: Dataset | None, realm: str, name: str) -> Place:
    """Where the bytes go. For a dataset they lie in the realm of its access, whatever was asked for."""
    if dataset is not None:
        place = dataset_place.admit(actor.id, dataset.id, name)
        uploads.refuse_frozen(actor.id, place)
        return place
    place = Place("incoming", realm, area_paths.clean(name, is_free=area_paths.free_in(actor.id, "incoming", realm)))
    area_paths.refuse_folder(actor.id, place.area, place.realm, place.name)
    return place


def own(key: str, *, actor: Account) -> Resumable:
    """A resumable upload of the actor. Raises NotFound for anybody else's too, Expired once its time is over."""
    row = db.session.get(Resumable, key)
    if row is None or row.account_id != actor.id:
        raise errors.NotFound(uploads.NO_SUCH_UPLOAD)
    if row.expires_at <= clock.now():
        raise Expired(say("upload_expired", "The time to finish this upload is over. Send it again."))
    return row


def progress(row: Resumable) -> ResumableProgress:
    """How far it is. Raises Locked while a request sends to it, Expired when its bytes are gone."""
    if row.upload_id is not None:
        return ResumableProgress(row.length, row.upload_id, settled=True)
    upload = db.session.scalar(select(Upload).where(Upload.token == row.token)) if row.token else None
    if upload is None:
        return ResumableProgress(0)
    if upload.state == states.INCOMPLETE:
        return ResumableProgress(upload.size)
    if upload.state in WHOLE and upload.size == row.length:
        return ResumableProgress(row.length, upload.id)
    if upload.state != states.RECEIVING:
        raise Expired(say("upload_replaced", "What came of this upload was removed or replaced. Send it again."))
    if clock.now() - upload.heard_at < uploads.GHOST_MS:
        raise Locked(
            say("upload_locked_for_now", "Another request is still sending to this upload. Try again in 15 s.")
        )
    facts = storage.facts(storage.area_path(row.realm, row.account_id, upload.token))
    return ResumableProgress(facts.size if facts else 0)


def begin(row: Resumable, token: str) -> None:
    """From now on these bytes are its own."""
    row.token = token
    db.session.flush()


def finish(row: Resumable, upload_id: int) -> None:
    """All bytes came and are recorded: what the announcement said of them is said of their file too."""
    row.upload_id = upload_id
    db.session.flush()
    file = db.session.scalars(select(File).where(File.upload_id == upload_id)).unique().first()
    if file is None or file.dataset_id != row.dataset_id:
        return
    said = {"md5": row.md5 if not file.declared_md5 else None, "title": row.described if not file.title else ""}
    if changes := {field: value for field, value in said.items() if value}:
        files.edit(file, changes, actor=db.session.get_one(Account, row.account_id))


def drop(row: Resumable, *, actor: Account) -> None:
    """The client gives up: what came goes, unless it has become an upload."""
    upload = db.session.scalar(select(Upload).where(Upload.token == row.token)) if row.token else None
    if upload is not None and row.upload_id is None and upload.state == states.INCOMPLETE:
        folders.drop(upload, actor=actor)
    db.session.delete(row)
    db.session.flush()


def sweep() -> int:
    """Forget announcements whose time is over; their bytes expire as every incomplete upload does."""
    return db.change(delete(Resumable).where(Resumable.expires_at < clock.now()))
