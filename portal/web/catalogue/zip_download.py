"""A whole dataset as one zip: stored, of known length, the same bytes each time, so that a broken download goes on."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, request
from werkzeug.http import is_resource_modified
from zipstream import ZIP_STORED, ZipStream

from portal import db, errors, storage
from portal.domain.permissions import access
from portal.domain.permissions.access import Reach
from portal.messages import say
from portal.models import Dataset
from portal.queries.catalogue import released_datasets as released
from portal.web import session
from portal.web.catalogue import active_downloads, download, ranges
from portal.web.catalogue.ranges import Span

bp = Blueprint("zip_download", __name__)
# A zip keeps its index in memory while it is sent; beyond this a mirror by FTP or wget is the better way.
MOST_FILES = 20_000


@bp.get("/datasets/<ref>/all.zip")
def whole(ref: str) -> Response:
    """Every file below a folder of the accession's name. `?from=` starts at a file's number, for whoever
    has the earlier ones; Range goes on within."""
    dataset, reach = download.downloadable(ref)
    rows = files(dataset, number(request.args.get("from", "")), reach)
    etag = f'"{hashlib.sha256(repr([(row.n, row.name, row.sha256) for row in rows]).encode()).hexdigest()}"'
    packed = pack(dataset, rows)
    answer = Response(mimetype="application/zip")
    answer.headers.update(headers(dataset, etag))
    if not is_resource_modified(request.environ, etag):
        answer.status_code = 304
        return answer
    span = ranges.requested(len(packed), etag)
    ranges.describe(answer, span, len(packed))
    if span is not None and request.method != "HEAD":
        sent = Sent(active_downloads.begin(dataset, reach, span, name="all.zip", via="zip", files=len(rows)))
        answer.response = part(packed, span, sent)
        answer.call_on_close(sent.over)
    db.end()
    return answer


def number(text: str) -> int:
    if text and not (text.isdecimal() and len(text) < 10):
        raise errors.Invalid(say("zip_from_format", "?from= is the number of a file, such as 7."))
    return int(text or 0)


def files(dataset: Dataset, first: int, reach: Reach) -> list[released.Packed]:
    """What goes in: under a grant of chosen files, those. One file that cannot be served refuses the whole: a zip that
    silently lacks it would be a lie."""
    rows = [row for row in released.packed(dataset, first) if reach.covers(row.n)]
    if len(rows) > MOST_FILES:
        raise errors.TooLarge(
            say(
                "zip_too_many",
                "More than {most:,} files are too many for one zip. Mirror the dataset by FTP or wget.",
                most=MOST_FILES,
            )
        )
    if not rows:
        raise errors.NotFound(
            say("zip_empty", "{accession} has no archived files from there on.", accession=dataset.accession)
        )
    bad = [row.name for row in rows if row.fixity == "bad"]
    if bad:
        raise errors.Damaged(
            say(
                "zip_damaged",
                "{name} is damaged in the archive, so the whole is not served; the others are, one by one.",
                name=bad[0],
            )
        )
    return rows


def pack(dataset: Dataset, rows: list[released.Packed]) -> ZipStream:
    accession = dataset.accession or ""
    packed = ZipStream(sized=True, compress_type=ZIP_STORED)
    for row in rows:
        path = storage.archived_path(dataset.realm, accession, row.archive_path)
        try:
            if path.stat().st_size != row.size:
                raise errors.Damaged(
                    say(
                        "zip_member_length",
                        "{name} has another length in the archive than recorded; it is not served.",
                        name=row.name,
                    )
                )
            packed.add_path(str(path), f"{accession}/{row.name}", recurse=False)
        except FileNotFoundError as error:
            raise errors.Damaged(
                say("zip_member_missing", "{name} is missing in the archive; the curators were told.", name=row.name)
            ) from error
    return packed


def headers(dataset: Dataset, etag: str) -> dict[str, str]:
    open_to_all = access.may_download(dataset, None)
    return {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{dataset.accession}.zip"',
        "Cache-Control": "public, no-cache" if open_to_all and session.actor() is None else "no-store",
    }


@dataclass
class Sent:
    """How much of a zip went out. It is over when the answer is closed, whether it was ever begun or not."""

    running: active_downloads.Running
    size: int = 0

    def over(self) -> None:
        self.running.over(self.size)


def part(packed: ZipStream, span: Span, sent: Sent) -> Iterator[bytes]:
    """The bytes of a span. What lies before is read again, because the index at the end holds its checksums."""
    at = 0
    for piece in packed:
        sent.running.check()
        begin, end = max(span.start - at, 0), span.stop - at
        at += len(piece)
        if begin < len(piece) and end > 0:
            yield piece[begin:end]
            sent.size += len(piece[begin:end])
        if at >= span.stop:
            break
