"""One request: how it stands, what it says, what was said about it, and what its reader may do now."""

from datetime import timedelta
from typing import Any

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.access_requests import decisions, download_log, request_moves, requests, terms
from portal.domain.permissions import active_grants
from portal.messages import say
from portal.models import Request
from portal.queries.access_requests import requests as listed
from portal.web import addresses, forms, htmx, permissions
from portal.web.access_requests.blueprint import address, bp, ref
from portal.web.access_requests.file_numbers import numbers_of

DONE = {
    "approve": "granted",
    "deny": "denied",
    "ask": "asked back: it waits for the requester",
    "revoke": "revoked",
    "renew": "renewed",
    "answer": "answered",
    "withdraw": "withdrawn",
}
SHOWN_DOWNLOADS = 50
SHOWN_MESSAGES = 50


def load(request_id: int) -> Request:
    """A request of the reader's, from either side; to others there is none."""
    return requests.load(request_id, actor=permissions.account())


@bp.get("/requests/<int:request_id>")
@permissions.signed_in
def show(request_id: int) -> Response:
    access_request = load(request_id)
    if access_request.state == states.DRAFT:
        return htmx.see_other(url_for("access_requests.form_page", ref=ref(access_request.dataset)))
    return htmx.fragment("access_requests/show.html", 200, **context(access_request), values={}, errors={})


def context(access_request: Request) -> dict[str, Any]:
    me = permissions.account()
    roles = request_moves.roles_of(access_request, me)
    zone = settings().timezone
    today = clock.today(zone)
    log, logged = download_log.newest(access_request, SHOWN_DOWNLOADS) if states.REQUESTER not in roles else ([], 0)
    before = request.args.get("said_before", 0, type=int)
    talk = request_moves.messages(access_request, actor=me, before=before, limit=SHOWN_MESSAGES + 1)
    return {
        "changed": listed.amendments(access_request),
        "said_before": before,
        "said_earlier": talk[1].id if len(talk) > SHOWN_MESSAGES else 0,
        "access_request": access_request,
        "dataset": access_request.dataset,
        "ref": ref(access_request.dataset),
        "shown": states.SHOWN_REQUEST[access_request.state],
        "roles": roles,
        "moves": {move.action for move in request_moves.available(access_request, actor=me)},
        "talk": talk[-SHOWN_MESSAGES:],
        "terms": access_request.terms or terms.of(access_request.dataset),
        "deciders": terms.deciders(access_request.dataset, without=access_request.account_id),
        "committee": terms.committee(access_request.dataset),
        "past": listed.history_of(access_request, me) if states.REQUESTER not in roles else [],
        "words": states.SHOWN_REQUEST,
        "log": log,
        "logged": logged,
        "numbers": sorted(active_grants.numbers(access_request.id)),
        "today": today.isoformat(),
        "last": (today + timedelta(days=decisions.longest(access_request) - 1)).isoformat(),
        "open_now": access_request.id in active_grants.open_now({access_request.id}),
        "ftp": addresses.ftp(),
        "over": access_request.state == states.GRANTED
        and (access_request.until_at or 0) <= active_grants.latest_moment(),
    }


@bp.post("/requests/<int:request_id>/actions")
@permissions.signed_in
def act(request_id: int) -> Response:
    """Decide, answer, withdraw, renew, revoke: the button that was pressed says which."""
    access_request, form = load(request_id), request.form
    action = form.get("action", "")
    try:
        chosen = numbers_of(form.get("files", ""))
        with db.transaction():
            decisions.act(
                access_request,
                action,
                actor=permissions.account(),
                note=form.get("note", ""),
                seen=form.get("seen", type=int),
                from_=form.get("from"),
                until=form.get("until"),
                numbers=chosen,
            )
    except (errors.Invalid, errors.Conflict) as error:
        return refused(request_id, error)
    mine = access_request.account_id == permissions.account().id
    word = "Your wish for a renewal is sent." if mine and action == "renew" else f"The request is {DONE[action]}."
    flash(word, "ok")
    return htmx.go_to(address(access_request))


def refused(request_id: int, error: errors.DomainError) -> Response:
    values = dict(request.form.items())
    return forms.refused("access_requests/show.html", error, **context(load(request_id)), values=values)


@bp.post("/requests/<int:request_id>/remarks", endpoint="say")
@permissions.signed_in
def remark(request_id: int) -> Response:
    """A word without a decision: to the other side, or to the other deciders alone."""
    access_request, form = load(request_id), request.form
    try:
        with db.transaction():
            requests.remark(
                access_request, form.get("text", ""), actor=permissions.account(), public=not form.get("private")
            )
    except errors.Invalid as error:
        error.field_messages = {"text": error.field_messages.get("note", error.message)}
        return refused(request_id, error)
    return htmx.go_to(address(access_request, "talk"))


@bp.get("/requests/<int:request_id>/edit")
@permissions.signed_in
def edit_page(request_id: int) -> Response:
    access_request = amendable(request_id)
    values = {name: getattr(access_request, name) for name in requests.FIELDS}
    values |= {requests.field_of(n): answer["answer"] for n, answer in enumerate(access_request.answers)}
    return htmx.fragment("access_requests/edit.html", 200, **amending(access_request), values=values, errors={})


def amending(access_request: Request) -> dict[str, Any]:
    questions = [{"text": answer["question"], "needed": False} for answer in access_request.answers]
    return {
        "access_request": access_request,
        "dataset": access_request.dataset,
        "asked": questions,
        "field_of": requests.field_of,
    }


def amendable(request_id: int) -> Request:
    access_request = load(request_id)
    if access_request.account_id != permissions.account().id or access_request.state not in states.UNDECIDED:
        raise errors.Conflict(say("request_amend_page", "Only its requester amends a request, while it waits."))
    return access_request


@bp.post("/requests/<int:request_id>/edit")
@permissions.signed_in
def amend(request_id: int) -> Response:
    access_request = amendable(request_id)
    names = [requests.field_of(n) for n in range(len(access_request.answers))]
    values = forms.values(*requests.FIELDS, *names)
    try:
        with db.transaction():
            requests.amend(
                access_request, values | {"answers": [values[name] for name in names]}, actor=permissions.account()
            )
    except (errors.Invalid, errors.Conflict) as error:
        db.session.refresh(access_request)
        return forms.refused("access_requests/edit.html", error, **amending(access_request), values=values)
    flash("Your request is amended; those who decide see what changed.", "ok")
    return htmx.go_to(address(access_request))
