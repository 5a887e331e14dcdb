"""Resumable uploads: the tus protocol 1.0.0 (https://tus.io) with creation, creation-with-upload, termination, checksum
and expiration. One PATCH is one upload session."""

import base64
import binascii
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Response, g, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.http import http_date

from portal import db, errors
from portal.domain.uploads import resumable
from portal.domain.uploads.uploads import Arrival
from portal.ingest import upload_session
from portal.ingest.upload_session import UploadSession
from portal.messages import say
from portal.models import Account, Resumable
from portal.web import permissions
from portal.web.api.blueprint import bp, described
from portal.web.api.uploads.uploads import READ_SIZE, drain
from portal.web.session import unbounded

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
ALGORITHMS = ("md5", "sha1", "sha256")
# A hash that is fed, and the digest that it is to have in the end.
AnnouncedDigest = tuple["hashlib._Hash", bytes]
MORE_THAN_ANNOUNCED = say("more_than_announced", "This is more than the announced length.")
BODY = "application/offset+octet-stream"

_lock = threading.Lock()
_busy: set[str] = set()


class WrongVersion(errors.DomainError):
    status, title, code = 412, "This speaks tus 1.0.0", "tus_version"
    topic = "api"


class WrongType(errors.DomainError):
    status, title, code = 415, f"The bytes come as {BODY}", "media_type"
    topic = "api"


class WrongOffset(errors.Conflict):
    title, code = "The upload goes on somewhere else", "offset"
    topic = "online"


class Malformed(errors.DomainError):
    status, title, code = 400, "This is not tus", "tus"
    topic = "api"


class ChecksumMismatch(errors.DomainError):
    status, title, code = 460, "The piece has another checksum than announced", "checksum"
    topic = "online"


@bp.after_request
def speak_tus(answer: Response) -> Response:
    if request.path.startswith("/api/v1/tus"):
        answer.headers["Tus-Resumable"] = VERSION
        answer.headers["Cache-Control"] = "no-store"
        if answer.status_code == WrongVersion.status:
            answer.headers["Tus-Version"] = VERSION
    return answer


@bp.route("/tus/", methods=["OPTIONS"], provide_automatic_options=False)
@described(status=204)
def tus_options() -> Response:
    """What this server can do."""
    return empty(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(resumable.LARGEST),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


@bp.post("/tus/")
@described(status=201, takes=(BODY,))
@permissions.raw_body
def tus_create() -> ResponseReturnValue:
    """Announce an upload: Upload-Length, and Upload-Metadata with filename and, if wanted, realm, md5, title, dataset
    (id or accession of what shall declare the file). Bytes may come with it."""
    unbounded()
    given = {}
    try:
        actor = check()
        length = number("Upload-Length")
        given = metadata(request.headers.get("Upload-Metadata", ""))
        with db.transaction():
            row = resumable.announce(
                actor=actor,
                name=given.get("filename") or given.get("name") or "",
                length=length,
                realm=given.get("realm") or "open",
                md5=given.get("md5"),
                dataset=given.get("dataset", ""),
                described=given.get("title", ""),
            )
    except errors.DomainError:
        drain()
        raise
    key, headers = row.key, expiry(row)
    headers["Location"] = url_for("api.tus_send", key=key, _external=True)
    if length == 0 or request.mimetype == BODY:
        headers["Upload-Offset"] = str(receive(row, 0))
    return empty(201, headers)


@bp.route("/tus/<key>", methods=["HEAD"], provide_automatic_options=False)
def tus_where(key: str) -> Response:
    """How many bytes are here."""
    row = resumable.own(key, actor=check())
    progress, headers = resumable.progress(row), {"Upload-Length": str(row.length)} | expiry(row)
    with held(key):
        record_end(key, progress)
    return empty(200, {"Upload-Offset": str(progress.offset)} | headers)


@bp.patch("/tus/<key>")
@described(status=204, takes=(BODY,))
@permissions.raw_body
def tus_send(key: str) -> ResponseReturnValue:
    """Send bytes from Upload-Offset on. 204: they are on disk; with the last byte the upload is recorded too."""
    unbounded()
    try:
        row = resumable.own(key, actor=check())
        if request.mimetype != BODY:
            raise WrongType(say("body_type", "Send the bytes as {body}.", body=BODY))
        offset = number("Upload-Offset")
    except errors.DomainError:
        drain()
        raise
    headers = expiry(row)
    return empty(204, headers | {"Upload-Offset": str(receive(row, offset))})


@bp.delete("/tus/<key>")
@described(status=204)
def tus_drop(key: str) -> ResponseReturnValue:
    """Give an upload up."""
    row = resumable.own(key, actor=check())
    with db.transaction(), held(key):
        resumable.progress(row)
        resumable.drop(row, actor=permissions.account())
    return empty(204, {})


@bp.post("/tus/<key>")
@described(status=204)
@permissions.raw_body
def tus_override(key: str) -> ResponseReturnValue:
    """PATCH or DELETE for clients whose network knows neither: X-HTTP-Method-Override says which."""
    check()
    views = {"PATCH": tus_send, "DELETE": tus_drop}
    view = views.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if view is None:
        raise Malformed(say("method_override", "Say PATCH or DELETE in X-HTTP-Method-Override."))
    return view(key)


def check() -> Account:
    """The sender, where the request speaks our version."""
    actor = permissions.account()
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion(say("tus_version", "Send Tus-Resumable: {version}.", version=VERSION))
    return actor


def number(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise Malformed(say("header_not_a_size", "{header} is a whole number of bytes.", header=header))
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """Pairs of a name and its value in base64. Raises Malformed."""
    values = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            values[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Malformed(
                say(
                    "metadata_not_base64",
                    "The value of {name} in Upload-Metadata is no base64 of UTF-8.",
                    name=name[:40],
                )
            ) from error
    return values


def expiry(row: Resumable) -> dict[str, str]:
    return {"Upload-Expires": http_date(datetime.fromtimestamp(row.expires_at / 1000, UTC))}


def empty(status: int, headers: dict[str, str]) -> Response:
    answer = Response(status=status)
    answer.headers.update(headers)
    return answer


@contextmanager
def held(key: str) -> Iterator[None]:
    """One request a time, within this process; between processes the upload's own row tells."""
    with _lock:
        if key in _busy:
            raise resumable.Locked("Another request is still sending to this upload.")
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
    """(hash, wanted) of Upload-Checksum, None without one. Raises Malformed, TooLarge for a body beyond the length."""
    if (request.content_length or 0) > left:
        raise errors.TooLarge(MORE_THAN_ANNOUNCED)
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    name, _, value = header.partition(" ")
    try:
        wanted = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise Malformed(say("checksum_not_base64", "Upload-Checksum holds no valid base64.")) from error
    if name not in ALGORITHMS:
        raise Malformed(
            say("checksum_algorithm_unknown", "Upload-Checksum knows {algorithms}.", algorithms=", ".join(ALGORITHMS))
        )
    return hashlib.new(name, usedforsecurity=False), wanted


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
