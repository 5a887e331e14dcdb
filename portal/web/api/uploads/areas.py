"""The area by API: list a folder, copy, move, remove; paths are those of the FTP tree."""

from collections.abc import Callable
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.accounts import quotas
from portal.domain.uploads import folders as areas
from portal.domain.uploads.uploads import Place
from portal.ingest import copy_move
from portal.messages import say
from portal.queries.uploads import area, uploads
from portal.web import permissions
from portal.web.api import documents
from portal.web.api.blueprint import body, bp, described, limit, listing, number


@bp.get("/area")
@described(answer="AreaEntry", lists=True)
def list_area() -> ResponseReturnValue:
    """What lies directly in a folder (?path=/OMIX/run1): its folders first, then its uploads by name, with the day on
    which what nobody claims is removed."""
    me, place = permissions.account(), place_of(request.args.get("path", ""))
    after = number("after", 0)
    rows = area.listing(me, place, after=after, limit=limit() + 1)
    answer = listing(rows, of_row, lambda row: row.upload.id)
    if not after:
        path = areas.path_of(place).rstrip("/")
        folders = [{"path": f"{path}/{name}", "folder": True} for name in area.folders(me, place)]
        answer["items"] = [*folders, *answer["items"]]
    return answer


def place_of(path: str) -> Place:
    """The place of a path; the incoming folder of the open realm where none is named."""
    return areas.named(path) if path.strip("/") else Place("incoming", "open", "")


def of_row(row: uploads.Row) -> dict[str, Any]:
    upload = row.upload
    place = Place(upload.area, upload.realm, upload.name)
    document = documents.of_upload(upload, row.dataset.accession if row.dataset else None)
    return {"path": areas.path_of(place), "folder": False, "expires": documents.moment(row.expires)} | document


@bp.get("/area/usage")
@described(answer="Usage")
def show_usage() -> ResponseReturnValue:
    """How many bytes lie in the areas of each realm, mine and my center's, and the quotas."""
    me = permissions.account()
    return {
        realm: {
            "used": quotas.used(me.center_id, realm, me.id),
            "quota": quotas.account_limit(),
            "center_used": quotas.used(me.center_id, realm),
            "center_quota": quotas.limit(me.center, realm),
        }
        for realm in ("open", "protected")
    }


@bp.post("/area/copy")
@described(body="FromTo", answer="Changed")
def copy_in_area() -> ResponseReturnValue:
    """Copy an upload, or all of a folder, `from` a path `to` another. Bytes are shared where the disk can; each copy
    counts for the quota."""
    return carried(copy_move.copy)


@bp.post("/area/move")
@described(body="FromTo", answer="Changed")
def move_in_area() -> ResponseReturnValue:
    """Rename or move an upload, or all of a folder, into any folder, area and realm, without sending it again."""
    return carried(copy_move.move)


def carried(verb: Callable[[int, Place, Place], int]) -> dict[str, Any]:
    me, given = permissions.account(), body()
    old, new = (str(given.get(name) or "") for name in ("from", "to"))
    if not old or not new:
        raise errors.Invalid(
            say("paths_missing", "Say from which path to which."),
            fields={"from" if not old else "to": say("path_missing", "A path.")},
        )
    return {"files": verb(me.id, areas.named(old), areas.named(new))}


@bp.post("/area/remove")
@described(body="Removal", answer="Changed")
def remove_in_area() -> ResponseReturnValue:
    """Remove the upload at a path; with `folder` true, all that lies below it."""
    actor, given = permissions.account(), body()
    place = areas.named(str(given.get("path") or ""))
    if not place.name:
        raise errors.Forbidden(areas.FOLDER_ALWAYS_HERE)
    with db.transaction():
        count = areas.remove(actor, place, folder=bool(given.get("folder")))
    return {"files": count}
