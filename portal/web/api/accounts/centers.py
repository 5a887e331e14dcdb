"""Quotas by API: more room asked for, and centers as curators keep them. Quotas are told in bytes and set in GiB."""

from typing import Any

from portal import db, errors
from portal.domain.accounts import centers as verbs
from portal.domain.accounts import quota_requests
from portal.messages import say
from portal.models import Account, Center
from portal.queries.accounts import centers
from portal.web import permissions
from portal.web.api.blueprint import body, bp, described, limit, number, paged
from portal.web.api.documents import moment


@bp.get("/area/quota")
@described(answer="Quota")
def show_quota() -> dict[str, Any]:
    """What my center keeps in its areas of each realm, its quotas, and what it asked for without an answer yet."""
    return of_quota(permissions.account().center)


def of_quota(center: Center) -> dict[str, Any]:
    """The document of a center's quotas, uses and unanswered request."""
    request = quota_requests.open_request(center.id)
    uses = {use.realm: {"used": use.used, "quota": use.quota, "own": use.own} for use in centers.row(center).uses}
    return uses | {"asked": {"at": moment(request.at), "note": request.note} if request else None}


@bp.post("/area/quota")
@described(body="QuotaFields", answer="Quota", status=201)
def ask_quota() -> tuple[dict[str, Any], int]:
    """Ask the curators for more room for my center: how much, and for what."""
    actor, given = permissions.account(), body()
    with db.transaction():
        quota_requests.ask(str(given.get("note") or ""), actor=actor)
    return of_quota(actor.center), 201


def curator() -> Account:
    """The signed-in account, which must be a curator's. Raises Forbidden."""
    actor = permissions.account()
    if not actor.is_curator:
        raise errors.Forbidden(say("curators_only", "Only curators may do this."))
    return actor


def center_or_404(center_id: int) -> Center:
    center = db.session.get(Center, center_id)
    if center is None:
        raise errors.NotFound(say("no_such_center", "There is no such center."))
    return center


@bp.get("/centers")
@described(answer="Center", lists=True)
def list_centers() -> dict[str, Any]:
    """The centers, newest first, for curators."""
    curator()
    return paged(centers.page(after=str(number("after", 0) or ""), limit=limit()), of_center)


def of_center(row: centers.Row) -> dict[str, Any]:
    center = row.center
    return {"id": center.id, "name": center.name, "people": row.people, "datasets": row.datasets} | of_quota(center)


@bp.post("/centers")
@described(body="CenterFields", answer="Center", status=201)
def create_center() -> tuple[dict[str, Any], int]:
    """A new center, for curators."""
    actor, given = curator(), body()
    with db.transaction():
        center = verbs.create(str(given.get("name") or ""), actor=actor)
    return of_center(centers.row(center)), 201


@bp.get("/centers/<int:center_id>")
@described(answer="Center")
def show_center(center_id: int) -> dict[str, Any]:
    """One center with its use, its quotas and what it asked for, for curators."""
    curator()
    return of_center(centers.row(center_or_404(center_id)))


@bp.patch("/centers/<int:center_id>")
@described(body="CenterFields", answer="Center")
def change_center(center_id: int) -> dict[str, Any]:
    """Another name; other quotas by realm in GiB: null is the site's own, 0 no bound. What is not named stays. Whoever
    asked for more room is told."""
    actor, given = curator(), body()
    with db.transaction():
        center = center_or_404(center_id)
        quota_requests.change(
            center, name=str(given.get("name", center.name)), quota=_quotas(center, given), actor=actor
        )
    return of_center(centers.row(center))


def _quotas(center: Center, given: dict[str, Any]) -> dict[str, int | None]:
    """The quotas of a center by realm in bytes, with the changes of a body, which names them in GiB."""
    named = given.get("quota_gib", {})
    if not isinstance(named, dict) or set(named) - set(verbs.REALMS):
        raise errors.Invalid(
            fields={"quota_gib": say("quota_gib_object", "An object with open and protected, in GiB.")}
        )
    now = {realm: getattr(center, f"quota_{realm}") for realm in verbs.REALMS}
    return now | {realm: verbs.of_gib(gib, field=f"quota_{realm}") for realm, gib in named.items()}
