"""The page of my uploads, live while something arrives."""

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from portal import errors
from portal.domain.accounts import ftp_faults, quotas
from portal.domain.datasets import failed_work
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place
from portal.models import Account
from portal.queries.datasets import revision
from portal.queries.files import delays
from portal.queries.uploads import area, uploads
from portal.queries.uploads.wanted import wanted
from portal.web import addresses, htmx, permissions
from portal.web.uploads.blueprint import bp

NAMES = ("folder", "view")


@bp.get("")
@permissions.signed_in
def listing() -> Response:
    me, given = permissions.account(), request.args
    rev = revision.of_account(me)
    if htmx.is_htmx() and given.get("rev") == rev:
        return htmx.unchanged()
    folder = asked_folder()
    page = area.page(
        me, folder=folder, view=given.get("view", ""), after=given.get("after", ""), before=given.get("before", "")
    )
    faults = [(fault, ftp_faults.explain(fault)) for fault in uploads.ftp_faults(me)]
    here = {name: given[name] for name in NAMES if given.get(name)}
    place = {name: given[name] for name in ("after", "before") if given.get(name)}
    return htmx.fragment_or_page(
        "uploads/_list.html",
        "uploads/list.html",
        page=page,
        rev=rev,
        here=here,
        place=place,
        faults=faults,
        folder=folder,
        path=folders.path_of(folder).rstrip("/") if folder else "",
        folders=area.folders(me, folder) if folder else [],
        delays=delays.of((row.upload, row.file) for row in page.rows),
        wanted=wanted(me, [row.upload for row in page.rows if row.file is None]),
        failed_work=failed_work.of_sender(me),
        roots=roots(),
        views=area.VIEWS,
        ftp=addresses.ftp(),
        used=room(me),
        companions=area.count_companions(me),
        moving=area.moving(me),
    )


def asked_folder() -> Place | None:
    """The folder that is asked for, by its path; what is none is as if it were not asked."""
    given = request.args.get("folder", "").strip()
    if not given.startswith("/"):
        return Place("incoming", "open", given.strip("/")) if given else None
    try:
        return folders.named(given)
    except errors.NotFound:
        return None


def roots() -> list[str]:
    places = (Place("incoming", "open", ""), Place("incoming", "protected", ""), Place("test", "open", ""))
    return [folders.path_of(place).rstrip("/") for place in places]


def room(account: Account) -> list[dict[str, Any]]:
    """How full each realm is: what the account and its center keep there, and the least that is left of a quota."""
    realms = []
    for realm in ("open", "protected"):
        own, all_ = quotas.used(account.center_id, realm, account.id), quotas.used(account.center_id, realm)
        bounds = [(own, quotas.account_limit()), (all_, quotas.limit(account.center, realm))]
        parts = [(used * 100 // most, most - used) for used, most in bounds if most]
        realms.append(
            {
                "realm": realm,
                "own": own,
                "own_limit": bounds[0][1],
                "all": all_,
                "limit": bounds[1][1],
                "percent": max((part for part, _left in parts), default=None),
                "left": max(0, min((left for _part, left in parts), default=0)) if parts else None,
            }
        )
    return realms
