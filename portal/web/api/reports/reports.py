"""Batch reports by API: those of the night, what stands now, and what changed since a report."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from flask import Response, request, send_file, url_for
from flask.typing import ResponseReturnValue

from portal import errors
from portal.config import settings
from portal.domain.reports import current, diff
from portal.domain.reports.diff import Change
from portal.domain.shared import sizes
from portal.messages import say
from portal.models import Center, Report
from portal.queries.reports import reports
from portal.web import permissions, session
from portal.web.api.blueprint import BYTES, LARGEST_BODY, bp, described, limit, listing, number
from portal.web.api.documents import moment

KIND = '<any("accessions", "files", "metadata", "usage"):kind>'
TAB, PLAIN, PACKED = "text/tab-separated-values", "text/plain", "application/gzip"


@bp.get("/reports")
@described(answer="Report", lists=True)
def list_reports() -> ResponseReturnValue:
    """The batch reports of my center that were written, newest first. Curators name a center: ?center=."""
    rows = reports.written(mine().id, before=number("before", 0), limit=limit() + 1)
    return listing(rows, document, lambda report: report.id, "before")


@bp.get(f"/reports/{KIND}")
@described(gives=(TAB, PLAIN, PACKED))
def show_report(kind: str) -> Response:
    """A report of my center as it stands now: accessions and files as tab files, metadata as tar.gz, usage as text
    (?realm=protected). ?full=1 says all, which is the default; ?since=, a day or moment, what came or changed since;
    ?date= the report that was written for that day, with ?full=1 the full one. Curators name a center: ?center=."""
    center, day, since = mine(), request.args.get("date", ""), reports.moment(request.args.get("since", ""))
    if day and kind == "accessions":
        return Response(current.kept_accessions(reports.last_dump(center.id, day)), mimetype=TAB)
    if day:
        return send(reports.stored(center.id, kind, day=day, full=bool(request.args.get("full")))[1])
    if kind != "metadata":
        realm = "protected" if request.args.get("realm") == "protected" else "open"
        body = current.text(kind, center, since=since, realm=realm)
        return Response(body, mimetype=PLAIN if kind == "usage" else TAB, headers={"Cache-Control": "no-store"})
    target = spool()
    current.dump(center, target, since=since)
    target.seek(0)
    return send_file(target, mimetype=PACKED, as_attachment=True, download_name=f"{settings().prefix}_Metadata.tar.gz")


@bp.get(f"/reports/{KIND}/<name>")
@described(gives=(PLAIN, PACKED))
def show_written_report(kind: str, name: str) -> Response:
    """A report of my center as it was written, by its name."""
    kind = "usage_protected" if kind == "usage" and request.args.get("realm") == "protected" else kind
    return send(reports.stored(mine().id, kind, name=name)[1])


@bp.get("/reports/changed")
@described(answer="Change", lists=True)
def changed_since() -> ResponseReturnValue:
    """What differs from the metadata report of ?since=, a day: objects that are new, whose XML changed, whose status
    alone did, or that are gone."""
    center, day = mine(), request.args.get("since", "")
    for full in (False, True):
        try:
            path = reports.stored(center.id, "metadata", day=day, full=full)[1]
            break
        except errors.NotFound:
            if full:
                raise
    return differences(center, path.open("rb"))


@bp.post("/reports/changed")
@described(answer="Change", lists=True, takes=(BYTES,))
@permissions.raw_body
def changed_since_mine() -> ResponseReturnValue:
    """The same for a report that is the body of the request: an Accessions report, a metadata dump, or what metamd5
    prints; packed or not."""
    center = mine()
    session.lift_body_limit()
    kept = spool()
    try:
        while piece := request.stream.read(1 << 20):
            kept.write(piece)
            if kept.tell() > LARGEST_BODY:
                raise errors.TooLarge(
                    say(
                        "report_body_too_large",
                        "A report has at most {most}. Pack it by gzip.",
                        most=sizes.size(LARGEST_BODY),
                    )
                )
        if kept.tell() == 0:
            raise errors.Invalid(say("report_body_missing", "Send the report as the body of the request."))
    except BaseException:
        kept.close()
        raise
    kept.seek(0)
    return differences(center, kept, limited=True)


def mine() -> Center:
    return reports.center_for(permissions.account(), request.args.get("center", ""))


def spool() -> BinaryIO:
    """A file that is gone when it is closed."""
    return tempfile.TemporaryFile(dir=settings().run)


def send(path: Path) -> Response:
    return send_file(
        path,
        mimetype=PLAIN if path.suffix == ".txt" else PACKED,
        as_attachment=True,
        download_name=path.name,
        conditional=True,
        max_age=0,
    )


def differences(center: Center, kept: BinaryIO, *, limited: bool = False) -> Response:
    """Read to the first difference before anything is answered, so that a report that is none is refused."""
    changes = diff.compare(center.id, diff.read(kept, limited=limited))
    try:
        first = next(changes, None)
    except BaseException:
        kept.close()
        raise
    answer = Response(_as_json(first, changes), mimetype="application/json", headers={"Cache-Control": "no-store"})
    answer.call_on_close(kept.close)
    return answer


def _as_json(first: Change | None, rest: Iterable[Change]) -> Iterator[str]:
    yield '{"items": ['
    if first is not None:
        yield json.dumps(of_change(first))
        yield from (", " + json.dumps(of_change(change)) for change in rest)
    yield '], "next": null}'


def of_change(change: Change) -> dict[str, str | None]:
    return {
        "accession": change.accession,
        "change": change.change,
        "md5_then": change.md5_then or None,
        "md5_now": change.md5_now or None,
        "status_then": change.status_then or None,
        "status_now": change.status_now or None,
    }


def document(report: Report) -> dict[str, Any]:
    kind, _, realm = report.kind.partition("_")
    return {
        "name": report.name,
        "kind": kind,
        "realm": (realm or "open") if kind == "usage" else None,
        "day": report.day,
        "full": report.full,
        "size": report.size,
        "made": moment(report.made_at),
        "url": url_for(
            "api.show_written_report",
            kind=kind,
            name=report.name,
            center=request.args.get("center"),
            realm=realm or None,
            _external=True,
        ),
    }
