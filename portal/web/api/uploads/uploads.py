"""Bytes by API: sent as a raw body, listed, renamed, removed."""

import base64
import binascii
import re
import time

from flask import request
from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.files import area_paths, inspection_results
from portal.domain.shared import path_names
from portal.domain.uploads import dataset_place, folders, receipt_date
from portal.domain.uploads.uploads import NO_SUCH_UPLOAD, Arrival
from portal.ingest import upload_session
from portal.ingest.upload_session import UploadSession
from portal.messages import say
from portal.models import Upload
from portal.queries.datasets import api_lists
from portal.queries.files import inspections as packages
from portal.web import permissions
from portal.web.api import documents
from portal.web.api.blueprint import BYTES, body, bp, described, limit, listing, number
from portal.web.session import lift_body_limit

READ_SIZE = 1 << 20
DRAIN_BYTES, DRAIN_SECONDS = 8 << 20, 2.0
DIGEST = re.compile(r"(md5|sha-256)=:([A-Za-z0-9+/=]+):")


@bp.get("/uploads")
@described(answer="Upload", lists=True)
def list_uploads() -> ResponseReturnValue:
    """What I sent, newest first. ?state=, ?realm= and ?name= filter."""
    filters = {name: request.args.get(name, "") for name in ("state", "realm", "name")}
    rows = api_lists.uploads(permissions.account(), after=number("after", 0), limit=limit() + 1, **filters)
    return listing(rows, lambda row: documents.of_upload(*row), lambda row: row[0].id)


@bp.get("/names")
@described(answer="Name")
def judge_name() -> ResponseReturnValue:
    """Whether a file may be sent under a name: ?name=, ?realm=. `fault` says what is wrong with it, `suggestion` is the
    nearest name that the archive takes and that nothing of yours bears (letters of other scripts are written in ours),
    empty where none is near."""
    realm = "protected" if request.args.get("realm") == "protected" else "open"
    is_free = area_paths.free_in(permissions.account().id, "incoming", realm)
    name = request.args.get("name", "")[: path_names.LONGEST * 2]
    if reason := area_paths.reserved(name):
        return {"name": name, "fault": str(reason), "suggestion": ""}
    if fault := path_names.fault(name):
        return {"name": name, "fault": str(fault), "suggestion": path_names.suggest(name, is_free=is_free)}
    return {"name": name, "fault": "", "suggestion": name}


@bp.get("/uploads/<int:upload_id>")
@described(answer="Upload")
def show_upload(upload_id: int) -> ResponseReturnValue:
    """One upload with what was found in it. `file_type` and `error` are words of the SRA handbook, `detail` says cause
    and remedy; `inspection` is null (not yet), owed, inspected, or unchecked where a bound ended it."""
    inspection_results.readable(upload_id, actor=permissions.account())
    row = api_lists.upload(upload_id)
    assert row is not None
    return documents.of_upload(*row)


@bp.get("/uploads/<int:upload_id>/members")
@described(answer="Member", lists=True)
def list_members(upload_id: int) -> ResponseReturnValue:
    """The members of a tar or zip in their order; with ?faults=1 only those of which something is told."""
    upload, faults = (
        inspection_results.readable(upload_id, actor=permissions.account()),
        request.args.get("faults") == "1",
    )
    rows = packages.members(upload, faults=faults, after=number("after", 0), limit=limit() + 1)
    return listing(rows, documents.of_member, lambda row: row.n)


@bp.put("/uploads/<any(open, protected):realm>/<path:name>")
@described(answer="Upload", status=201, also=200, takes=(BYTES,))
@permissions.raw_body
def send_upload(realm: str, name: str) -> ResponseReturnValue:
    """Send one file as the raw body. 201: it is on disk, synced and recorded; 200: the same bytes were here already. A
    Repr-Digest header (md5, sha-256) is compared; when it differs nothing is recorded."""
    lift_body_limit()
    try:
        actor = permissions.account()
        digests = announced_digests(request.headers.get("Repr-Digest", ""))
        session = upload_session.open(actor.id, realm=realm, name=name, via="api", announced=request.content_length)
    except errors.DomainError:
        drain()
        raise
    return _receipt_of(session, digests)


@bp.put("/datasets/<ref>/uploads/<path:name>")
@described(answer="Upload", status=201, also=200, takes=(BYTES,))
@permissions.raw_body
def send_for_dataset(ref: str, name: str) -> ResponseReturnValue:
    """Send one file for a dataset as the raw body: it belongs to that dataset alone, which declares its name if need
    be. Good bytes of the name give way once these are durable; archived ones are replaced as by a replacement. 409
    while the file is being archived. Else as PUT /uploads/<realm>/<name>."""
    lift_body_limit()
    try:
        actor = permissions.account()
        dataset_id = dataset_place.open_to(ref, actor).id
        digests = announced_digests(request.headers.get("Repr-Digest", ""))
        session = upload_session.open(
            actor.id, realm="open", name=name, via="api", announced=request.content_length, dataset_id=dataset_id
        )
    except errors.DomainError:
        drain()
        raise
    return _receipt_of(session, digests)


def _receipt_of(session: UploadSession, digests: dict[str, str]) -> ResponseReturnValue:
    receipt = take(session, digests)
    row = api_lists.upload(receipt.upload_id)
    assert row is not None
    return documents.of_upload(*row), 201 if row[0].token == session.token else 200


def take(session: UploadSession, digests: dict[str, str]) -> Arrival:
    """Read the body into the session, to its end. What ends early stays as incomplete."""
    try:
        while piece := request.stream.read(READ_SIZE):
            session.write(piece)
        return session.finish(**digests)
    except errors.DomainError as error:
        session.abort(error.code, keep=isinstance(error, errors.Incomplete | errors.Busy | errors.StorageFault))
        drain()
        raise
    except Exception as error:
        session.abort("the connection broke")
        raise errors.Incomplete(
            say("connection_broke", "The connection broke before the end. Send it again.")
        ) from error


def announced_digests(header: str) -> dict[str, str]:
    """MD5 and SHA-256 in hex of a Repr-Digest field (RFC 9530). Raises Invalid when it is not one."""
    digests = {}
    for algorithm, value in DIGEST.findall(header):
        try:
            digests[algorithm.replace("-", "")] = base64.b64decode(value, validate=True).hex()
        except binascii.Error as error:
            raise errors.Invalid(say("repr_digest_not_base64", "Repr-Digest holds no valid base64.")) from error
    if header and not digests:
        raise errors.Invalid(say("repr_digest_format", "Repr-Digest looks like md5=:<base64>: or sha-256=:<base64>:."))
    return digests


def drain() -> None:
    """Read a little of a refused body, so that the client reads the refusal instead of a reset."""
    left, until = DRAIN_BYTES, time.monotonic() + DRAIN_SECONDS
    try:
        while left > 0 and time.monotonic() < until and (piece := request.stream.read(min(READ_SIZE, left))):
            left -= len(piece)
    except Exception:  # the connection is gone; so is the reason to drain
        return


@bp.patch("/uploads/<int:upload_id>")
@described(body="UploadName", answer="Upload")
def rename_upload(upload_id: int) -> ResponseReturnValue:
    """Give an upload another name, without sending it again."""
    actor, given = permissions.account(), body()
    with db.transaction():
        row = folders.own(upload_id, actor=actor)
        folders.rename(actor, folders.place_in_box(row), str(given.get("name") or ""))
    document = api_lists.upload(upload_id)
    assert document is not None
    return documents.of_upload(*document)


@bp.put("/uploads/<int:upload_id>/received")
@described(body="Receipt", answer="Upload")
def correct_receipt(upload_id: int) -> ResponseReturnValue:
    """Correct the day on which an upload came, as a curator: what was carried over from elsewhere counts from its first
    receipt. The history keeps both days."""
    actor, given = permissions.account(), body()
    if not actor.is_curator:
        raise errors.Forbidden(say("receipt_day_curators_only", "Only curators correct the day of a receipt."))
    with db.transaction():
        row = db.session.get(Upload, upload_id)
        if row is None:
            raise errors.NotFound(NO_SUCH_UPLOAD)
        receipt_date.correct(row, str(given.get("received") or ""), note=str(given.get("note") or ""), actor=actor)
    document = api_lists.upload(upload_id)
    assert document is not None
    return documents.of_upload(*document)


@bp.delete("/uploads/<int:upload_id>")
@described(status=204)
def remove_upload(upload_id: int) -> ResponseReturnValue:
    """Remove an upload that is not archived."""
    actor = permissions.account()
    with db.transaction():
        folders.drop(folders.own(upload_id, actor=actor), actor=actor)
    return "", 204
