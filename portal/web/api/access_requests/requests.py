"""Access to controlled data by API: asked, amended, answered, decided, renewed, revoked; the verbs of the forms."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal import db, errors, states
from portal.domain.access_requests import (
    attachments,
    decisions,
    download_log,
    request_moves,
    requests,
    signed_statement,
)
from portal.domain.permissions import active_grants
from portal.messages import say
from portal.models import Account, Event, Request
from portal.queries.access_requests import requests as listed
from portal.web import permissions
from portal.web.api.blueprint import BYTES, body, bp, described, limit, listing, number
from portal.web.api.documents import moment
from portal.web.permissions import dataset_or_404


def load(request_id: int) -> Request:
    return requests.load(request_id, actor=permissions.account())


def document(access_request: Request) -> dict[str, Any]:
    """A request as both sides read it; `grant` says what is open, and whether it is now."""
    granted = None
    if access_request.until_at is not None:
        granted = {
            "from": moment(access_request.from_at),
            "until": moment(access_request.until_at),
            "open": access_request.id in active_grants.open_now({access_request.id}),
            "files": None if access_request.whole else sorted(active_grants.numbers(access_request.id)),
        }
    return {
        "id": access_request.id,
        "dataset": access_request.dataset.accession,
        "state": access_request.state,
        "version": access_request.version,
        "requester": {"name": access_request.account.name, "email": access_request.account.email},
        "purpose": access_request.purpose,
        "institution": access_request.institution,
        "principal_investigator": access_request.principal_investigator,
        "ethics": access_request.ethics,
        "answers": access_request.answers,
        "agreement": access_request.agreement,
        "terms": access_request.terms_id,
        "letter": access_request.letter_name or None,
        "asked": moment(access_request.asked_at),
        "decided": moment(access_request.decided_at),
        "ended": moment(access_request.ended_at),
        "decided_by": access_request.decider.name if access_request.decider else None,
        "renewal_asked": moment(access_request.renewal_asked_at),
        "grant": granted,
        "url": url_for("access_requests.show", request_id=access_request.id, _external=True),
    }


def whole(access_request: Request, actor: Account) -> dict[str, Any]:
    """With what was said, and what the reader may do now."""
    messages = request_moves.messages(access_request, actor=actor)
    return document(access_request) | {
        "actions": [move.action for move in request_moves.available(access_request, actor=actor)],
        "messages": [
            {
                "at": moment(message.created_at),
                "author": message.account.name if message.account else None,
                "turn": message.turn or None,
                "private": not message.public,
                "text": message.text,
            }
            for message in messages
        ],
    }


@bp.post("/requests")
@described(body="RequestFields", answer="Request", status=201)
def ask_access() -> ResponseReturnValue:
    """Ask for access to a controlled dataset: {dataset, purpose, institution, principal_investigator, ethics,
    agreement, answers}. `agreement` is your name as it stands in your account: your signature under the terms; `terms`
    the version that you read. With `draft` true it is kept and not sent."""
    actor, given = permissions.account(), body()
    dataset = dataset_or_404(str(given.get("dataset") or ""))
    fields = {name: given[name] for name in (*requests.FIELDS, "answers") if name in given}
    with db.transaction():
        draft = requests.begin(dataset, actor=actor)
        if given.get("draft"):
            faults = requests.save(draft, fields, actor=actor)
            if faults:
                raise errors.Invalid(fields=faults)
        else:
            requests.ask(
                draft, fields, agreement=str(given.get("agreement") or ""), actor=actor, version=given.get("terms")
            )
    return whole(draft, actor), 201, {"Location": url_for("api.show_request", request_id=draft.id, _external=True)}


@bp.get("/requests")
@described(answer="Request", lists=True)
def list_requests() -> dict[str, Any]:
    """What I asked and what is asked of me, newest first. ?side=mine or ?side=asked is one of both; ?state= filters."""
    rows = listed.listed(
        permissions.account(),
        side=request.args.get("side", ""),
        state=request.args.get("state", ""),
        after=number("after", 0),
        limit=limit() + 1,
    )
    return listing(rows, document, lambda access_request: access_request.id)


@bp.get("/requests/<int:request_id>")
@described(answer="Request")
def show_request(request_id: int) -> dict[str, Any]:
    """One request, with what was said and the actions open to the caller."""
    return whole(load(request_id), permissions.account())


@bp.patch("/requests/<int:request_id>")
@described(body="RequestFields", answer="Request")
def amend_request(request_id: int) -> dict[str, Any]:
    """Change what a draft or a waiting request says; fields not named stay."""
    actor, given, access_request = permissions.account(), body(), load(request_id)
    if access_request.account_id != actor.id:
        raise errors.Forbidden(say("request_amend_roles", "Only its requester amends a request."))
    fields = {name: given[name] for name in (*requests.FIELDS, "answers") if name in given}
    with db.transaction():
        if access_request.state == states.DRAFT and (faults := requests.save(access_request, fields, actor=actor)):
            raise errors.Invalid(fields=faults)
        if access_request.state != states.DRAFT:
            requests.amend(access_request, fields, actor=actor, note=str(given.get("note") or ""))
    return whole(access_request, actor)


@bp.post("/requests/<int:request_id>/actions/<action>")
@described(body="RequestAction", answer="Request")
def act_on_request(request_id: int, action: str) -> dict[str, Any]:
    """approve, deny, ask (back), revoke, renew, answer, withdraw: {note, from, until, files, version}. `from` and
    `until` are days, the last one included, or moments with their offset; `files` numbers. 409 names who was first."""
    actor, given, access_request = permissions.account(), body(), load(request_id)
    with db.transaction():
        decisions.act(
            access_request,
            action,
            actor=actor,
            note=given.get("note") or "",
            seen=given.get("version"),
            from_=given.get("from"),
            until=given.get("until"),
            numbers=given.get("files") or [],
        )
    return whole(access_request, actor)


@bp.post("/requests/<int:request_id>/messages")
@described(body="RequestMessageFields", answer="Request", status=201)
def say_on_request(request_id: int) -> ResponseReturnValue:
    """Say something without a decision: {text, private}. Private ones are for the deciders alone."""
    actor, given, access_request = permissions.account(), body(), load(request_id)
    with db.transaction():
        requests.remark(access_request, str(given.get("text") or ""), actor=actor, public=not given.get("private"))
    return whole(access_request, actor), 201


@bp.put("/requests/<int:request_id>/letter")
@described(answer="Request", takes=(BYTES,))
def send_letter(request_id: int) -> dict[str, Any]:
    """Attach a letter, as the raw body, to one's own draft or waiting request; ?name= is its name."""
    actor, access_request = permissions.account(), load(request_id)
    if access_request.account_id != actor.id:
        raise errors.Forbidden(say("letter_roles", "Only its requester attaches a letter."))
    content = request.get_data(cache=False)
    token = attachments.store(content)
    try:
        with db.transaction():
            former = requests.attach(
                access_request,
                token=token,
                name=request.args.get("name", "") or "letter",
                size=len(content),
                actor=actor,
            )
    except BaseException:
        attachments.remove(token)
        raise
    attachments.remove(former)
    return whole(access_request, actor)


@bp.get("/requests/<int:request_id>/downloads")
@described(answer="Download", lists=True)
def list_downloads(request_id: int) -> dict[str, Any]:
    """Every download under a grant: file, door, address, bytes, when. For the submitter and the deciders."""
    access_request = load(request_id)
    request_moves.require_overseer(access_request, permissions.account())
    rows = [event for event in download_log.of_request(access_request) if event.id > number("after", 0)][: limit() + 1]
    return listing(rows, of_download, lambda event: event.id)


def of_download(event: Event) -> dict[str, Any]:
    facts = ("name", "via", "address", "offset", "bytes", "whole")
    return {"id": event.id, "at": moment(event.at)} | {name: (event.after or {}).get(name) for name in facts}


@bp.get("/requests/<int:request_id>/statement")
@described(answer="Statement")
def show_statement(request_id: int) -> dict[str, Any]:
    """The grant as a signed statement: JWS (RFC 7515, flattened), EdDSA. The key is at /requests/key.pem."""
    return signed_statement.signed(load(request_id))
