"""Bytes to readers: ranges, ETag, digests, and a permission that is asked at each request."""

import base64
import os
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.http import http_date, is_resource_modified
from werkzeug.wsgi import FileWrapper

from portal import db, errors, states, storage
from portal.domain.access_requests import terms
from portal.domain.permissions import access, active_grants
from portal.domain.permissions.access import Reach
from portal.messages import say
from portal.models import Dataset, File
from portal.queries.catalogue import released_datasets as released
from portal.queries.uploads import ftp_listing
from portal.web import session
from portal.web.catalogue import active_downloads, ranges
from portal.web.catalogue.ranges import Span
from portal.web.permissions import dataset_or_404

bp = Blueprint("download", __name__)
BLOCK = 1 << 20
WITHDRAWN = say("dataset_withdrawn", "This dataset was withdrawn; its files were removed.")


@bp.get("/datasets/<ref>/files/<path:name>")
def file(ref: str, name: str) -> Response:
    """One archived file. Range, If-Range, If-None-Match and HEAD are understood."""
    dataset, reach = downloadable(ref)  # 1. and 2. Ask and permit (docs/architecture.md numbers the steps)
    row = released.file_named(dataset, name)
    if row is None:
        raise errors.NotFound(
            say("file_unknown_in_dataset", "{accession} has no file {name}.", accession=dataset.accession, name=name)
        )
    if not reach.covers(row.n):
        raise errors.Forbidden(
            say("file_not_granted", "{name} is not among the files that you were granted.", name=name), topic="access"
        )
    if row.fixity == "bad":
        raise errors.Damaged(
            say(
                "download_damaged",
                "{name} is damaged in the archive and is not served; the curators were told.",
                name=name,
            )
        )
    return serve(dataset, row, reach)


@bp.get("/datasets/<ref>/md5sum.txt")
def md5sum(ref: str) -> Response:
    """What `md5sum -c` reads beside the downloaded files."""
    dataset, reach = downloadable(ref)
    text = "".join(f"{row.md5}  {row.name}\n" for row in ftp_listing.digests(dataset.id, reach.request_id))
    answer = Response(text, mimetype="text/plain")
    answer.headers["Content-Disposition"] = f'inline; filename="{dataset.accession}-md5sum.txt"'
    return answer


def downloadable(ref: str) -> tuple[Dataset, Reach]:
    """A dataset whose bytes the asker may have now, and which of them. Raises Forbidden with how to ask, Gone,
    NotFound."""
    dataset, actor = dataset_or_404(ref), session.actor()
    if dataset.state == states.WITHDRAWN:
        raise errors.Gone(WITHDRAWN)
    reach = access.reach(dataset, actor)
    if reach is not None:
        return dataset, reach
    who = who_decides(dataset)
    if actor is None:
        text = "These files are under controlled access: {who} decides who may download them. Sign in with the account "
        text += "they were granted to, or ask on the page of {accession}."
        raise errors.SignInNeeded(say("download_sign_in", text, who=who, accession=dataset.accession))
    text = "These files are under controlled access and are not, or no longer, granted to you. "
    text += "{who} decides; ask on the page of {accession}."
    raise errors.Forbidden(
        say("download_not_granted", text, who=who, accession=dataset.accession),
        accession=dataset.accession,
        topic="access",
    )


def who_decides(dataset: Dataset) -> str:
    """The committee, or the person, as the page of the dataset names them."""
    return terms.committee(dataset) or dataset.account.name


def serve(dataset: Dataset, row: File, reach: Reach) -> Response:
    size, etag = row.size or 0, f'"{row.sha256}"'
    answer = Response(status=200, mimetype="application/octet-stream")
    answer.headers.update(headers(dataset, row, etag))
    if request.if_match and not request.if_match.contains(str(row.sha256)):
        answer.status_code = 412
        return answer
    if not request.if_match and not is_resource_modified(request.environ, etag, last_modified=answer.last_modified):
        answer.status_code = 304
        return answer
    span = ranges.requested(size, etag, answer.headers["Last-Modified"])
    ranges.describe(answer, span, size)
    if span is not None and request.method != "HEAD":
        handle = open_moved(dataset, row, size)
        try:
            # 3. Log the begin, before a byte leaves. From here on the grant is watched (5.).
            running = active_downloads.begin(dataset, reach, span, name=row.name, via="http", file_id=row.id)
        except BaseException:
            handle.close()
            raise
        send(answer, handle, span, running)  # 4. Send.
    return answer


def headers(dataset: Dataset, row: File, etag: str) -> dict[str, str]:
    """What is said of the bytes, whole or in part. Digests are of the whole file (RFC 9530)."""
    digests = {"sha-256": row.sha256, "md5": row.md5}
    parts = [f"{name}=:{base64.b64encode(bytes.fromhex(value)).decode()}:" for name, value in digests.items() if value]
    base = row.base.encode("ascii", "replace").decode().replace("\\", "_").replace('"', "_")
    open_to_all = dataset.access == "open" and dataset.state in active_grants.PUBLIC
    return {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Repr-Digest": ", ".join(parts),
        "Last-Modified": http_date((row.archived_at or 0) / 1000),
        "Content-Disposition": f"attachment; filename=\"{base}\"; filename*=UTF-8''{quote(row.base, safe='')}",
        "Cache-Control": "public, no-cache" if open_to_all else "no-store",
    }


def open_moved(dataset: Dataset, row: File, size: int) -> BinaryIO:
    """The bytes of a file, also where they moved to the other realm since this request began."""
    realm, accession, path = dataset.realm, dataset.accession or "", row.archive_path or ""
    try:
        return open_archived(storage.archived_path(realm, accession, path), size)
    except errors.Damaged:
        db.session.rollback()
        db.session.refresh(dataset)
        if dataset.realm == realm:
            raise
        return open_archived(storage.archived_path(dataset.realm, accession, path), size)


def open_archived(path: Path, size: int) -> BinaryIO:
    try:
        handle = os.fdopen(storage.open_read(path), "rb", buffering=0)
    except FileNotFoundError as error:
        raise errors.Damaged(
            say("download_missing", "This file is missing in the archive; the curators were told.")
        ) from error
    if os.fstat(handle.fileno()).st_size != size:
        handle.close()
        raise errors.Damaged(
            say("download_length", "This file has another length in the archive than recorded; it is not served.")
        )
    return handle


def send(answer: Response, handle: BinaryIO, span: Span, running: active_downloads.Running) -> None:
    """Hand the bytes to the server, by sendfile where it can; the download is over when they are gone."""
    handle.seek(span.start)
    body = Part(handle, span, running)
    wrapper = request.environ.get("wsgi.file_wrapper")
    answer.response = wrapper(body, BLOCK) if wrapper is not None else FileWrapper(body, BLOCK)  # type: ignore[arg-type]
    answer.direct_passthrough = True
    db.end()


class Part:
    """So many bytes of a file from where it stands. Servers that know sendfile use its fileno and Content-Length, and
    say by seek() how far they came."""

    def __init__(self, handle: BinaryIO, span: Span, running: active_downloads.Running) -> None:
        self._handle, self._start, self._left = handle, span.start, span.length
        self._running, self._sent = running, 0

    def fileno(self) -> int:
        return self._handle.fileno()

    def tell(self) -> int:
        return self._handle.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        self._sent = offset - self._start
        return self._handle.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        self._running.check()
        piece = self._handle.read(min(self._left, size if size > 0 else self._left))
        self._left -= len(piece)
        self._sent += len(piece)
        return piece

    def close(self) -> None:
        if not self._handle.closed:
            self._handle.close()
            self._running.over(self._sent)  # 6. Log the end, and count.
