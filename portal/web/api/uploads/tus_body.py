"""The body of one tus PATCH: locked to one request, compared with its checksum, and taken into an upload session."""

import base64
import binascii
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, request

from portal import db, errors
from portal.domain.uploads import resumable
from portal.domain.uploads.uploads import Arrival
from portal.ingest import upload_session
from portal.ingest.upload_session import UploadSession
from portal.messages import say
from portal.models import Account, Resumable
from portal.web.api.uploads.uploads import READ_SIZE, drain

ALGORITHMS = ("md5", "sha1", "sha256")
# A hash that is fed, and the digest that it is to have in the end.
AnnouncedDigest = tuple["hashlib._Hash", bytes]
MORE_THAN_ANNOUNCED = say("more_than_announced", "This is more than the announced length.")

_lock = threading.Lock()
_busy: set[str] = set()


class WrongOffset(errors.Conflict):
    title, code = "The upload goes on somewhere else", "offset"
    topic = "online"


class Malformed(errors.DomainError):
    status, title, code = 400, "This is not tus", "tus"
    topic = "api"


class ChecksumMismatch(errors.DomainError):
    status, title, code = 460, "The piece has another checksum than announced", "checksum"
    topic = "online"


@contextmanager
def held(key: str) -> Iterator[None]:
    """One request a time, within this process; between processes the upload's own row tells."""
    with _lock:
        if key in _busy:
            raise resumable.Locked(say("another_request_sends", "Another request is still sending to this upload."))
        _busy.add(key)
    try:
        yield
    finally:
        _busy.discard(key)


def receive(row: Resumable, offset: int) -> int:
    """The body into the upload. Returns the offset that is on disk then."""
    actor_id, key, length, md5 = row.account_id, row.key, row.length, row.md5
    with held(key):
        try:
            db.end()  # what another request did to it meanwhile counts
            row = resumable.own(key, actor=db.session.get_one(Account, actor_id))
            progress = resumable.progress(row)
            if progress.offset != offset:
                raise WrongOffset(
                    say("wrong_offset", "The upload goes on at byte {offset:,}.", offset=progress.offset),
                    offset=progress.offset,
                )
            if progress.done:
                record_end(key, progress)
                return offset
            digest = announced_digest(length - offset)
            session = upload_session.open(
                actor_id,
                realm=row.realm,
                name=row.name,
                via="web",
                announced=length,
                offset=offset or None,
                token=row.token if offset else None,
                dataset_id=row.dataset_id,
            )
        except errors.DomainError:
            drain()
            raise
        with db.transaction():
            resumable.begin(db.session.get_one(Resumable, key), session.token)
        if not take(session, digest, length):
            return session.abort("The upload was paused or its connection broke.")
        record_end(key, resumable.ResumableProgress(length, finish(session, md5).upload_id))
    return length


def record_end(key: str, progress: resumable.ResumableProgress) -> None:
    """All bytes are recorded: the announcement is done with. What a stop left between the two is made good here."""
    if progress.upload_id is not None and not progress.settled:
        with db.transaction():
            resumable.finish(db.session.get_one(Resumable, key), progress.upload_id)


def finish(session: UploadSession, md5: str | None) -> Arrival:
    try:
        return session.finish(md5=md5)
    except BaseException as error:
        session.abort("refused", keep=isinstance(error, errors.Busy))
        raise


def announced_digest(left: int) -> AnnouncedDigest | None:
    """(hash, announced digest) of Upload-Checksum, None without one. Raises Malformed, or TooLarge for a
    body beyond the length."""
    if (request.content_length or 0) > left:
        raise errors.TooLarge(MORE_THAN_ANNOUNCED)
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    name, _, value = header.partition(" ")
    try:
        announced = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise Malformed(say("checksum_not_base64", "Upload-Checksum holds no valid base64.")) from error
    if name not in ALGORITHMS:
        raise Malformed(
            say("checksum_algorithm_unknown", "Upload-Checksum knows {algorithms}.", algorithms=", ".join(ALGORITHMS))
        )
    return hashlib.new(name, usedforsecurity=False), announced


def take(session: UploadSession, digest: AnnouncedDigest | None, length: int) -> bool:
    """The body to its end; whether all announced bytes are here. A piece with another checksum is taken back."""
    try:
        while piece := request.stream.read(READ_SIZE):
            if session.size + len(piece) > length:
                raise errors.TooLarge(MORE_THAN_ANNOUNCED)
            session.write(piece)
            if digest:
                digest[0].update(piece)
    except errors.DomainError as error:
        session.abort(error.code, keep=not isinstance(error, errors.TooLarge))
        drain()
        raise
    except Exception:  # the connection broke: what came counts, if nobody wanted its checksum
        g.cut = True
    if digest and (g.get("cut") or not hmac.compare_digest(digest[0].digest(), digest[1])):
        session.undo("the piece had another checksum than announced")
        raise ChecksumMismatch(
            say("checksum_differs", "The piece was damaged on its way and is not kept. Send it again.")
        )
    return session.size >= length and not g.get("cut")
