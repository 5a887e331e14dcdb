"""What a request leaves behind: its letter, the list of downloads, the signed statement and the key to check it."""

from flask import Response, jsonify

from portal import db, errors
from portal.domain.access_requests import attachments, download_export, download_log, request_moves, signed_statement
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Request
from portal.web import permissions
from portal.web.access_requests.blueprint import bp
from portal.web.access_requests.show import load
from portal.web.permissions import dataset_or_404

TYPES = {"tsv": "text/tab-separated-values", "csv": "text/csv"}


@bp.get("/requests/<int:request_id>/letter")
@permissions.signed_in
def letter(request_id: int) -> Response:
    """The attached letter, never shown in the browser's own frame."""
    access_request = load(request_id)
    if not access_request.letter:
        raise errors.NotFound(say("letter_none", "No letter is attached to this request."))
    answer = Response(attachments.read(access_request.letter), mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=access_request.letter_name or "letter")
    return answer


def overseen(request_id: int) -> Request:
    """A request that the reader decides on, or whose dataset is theirs."""
    access_request = load(request_id)
    request_moves.require_overseer(access_request, permissions.account())
    return access_request


@bp.get('/requests/<int:request_id>/downloads.<any("tsv", "csv"):kind>')
@permissions.signed_in
def downloads(request_id: int, kind: str) -> Response:
    """Every download under one grant."""
    access_request = overseen(request_id)
    return table(
        "".join(download_export.written(download_log.of_request(access_request), kind)),
        f"{access_request.dataset.accession}-request-{access_request.id}",
        kind,
    )


@bp.get('/datasets/<ref>/downloads.<any("tsv", "csv"):kind>')
@permissions.signed_in
def downloads_of(ref: str, kind: str) -> Response:
    """Every download of a controlled dataset, under all grants."""
    dataset = dataset_or_404(ref)
    if not access.is_owner(dataset, permissions.account()):
        raise errors.Forbidden(say("downloads_roles", "Only its submitter sees who downloaded what."))
    return table(
        "".join(download_export.written(download_log.of_dataset(dataset), kind)),
        f"{dataset.accession}-downloads",
        kind,
    )


def table(text: str, name: str, kind: str) -> Response:
    db.end()
    answer = Response(text, content_type=f"{TYPES[kind]}; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{kind}")
    return answer


@bp.get("/requests/<int:request_id>/statement")
@permissions.signed_in
def statement(request_id: int) -> Response:
    """The grant as a signed statement, for either side and for an audit."""
    access_request = load(request_id)
    answer = jsonify(signed_statement.signed(access_request))
    name = f"{access_request.dataset.accession}-grant-{access_request.id}.json"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@bp.get("/requests/key.pem")
def public_key() -> Response:
    """The key that checks statements; it is public."""
    return Response(signed_statement.public_key(), mimetype="application/x-pem-file")
