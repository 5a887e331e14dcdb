"""Resumable uploads: the tus protocol 1.0.0 (https://tus.io) with creation, creation-with-upload, termination, checksum
and expiration. One PATCH is one upload session."""

import base64
import binascii
from datetime import UTC, datetime

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.http import http_date

from portal import db, errors
from portal.domain.uploads import resumable
from portal.messages import say
from portal.models import Account, Resumable
from portal.web import permissions
from portal.web.api.blueprint import bp, described
from portal.web.api.uploads.tus_body import ALGORITHMS, Malformed, held, receive, record_end
from portal.web.api.uploads.uploads import drain
from portal.web.session import lift_body_limit

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
BODY = "application/offset+octet-stream"


class WrongVersion(errors.DomainError):
    status, title, code = 412, "This speaks tus 1.0.0", "tus_version"
    topic = "api"


class WrongType(errors.DomainError):
    status, title, code = 415, f"The bytes come as {BODY}", "media_type"
    topic = "api"


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
    lift_body_limit()
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
    lift_body_limit()
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
