"""Sign in with the provider: out to it, back from it, and the page that says why nobody was signed in."""

import logging
from typing import Any

from flask import Response, flash, make_response, render_template, request

from portal import config, db, errors
from portal.domain.accounts import identities, rate_limit
from portal.domain.accounts.identities import Person
from portal.messages import Message, say
from portal.models import Account
from portal.web import errors as answers
from portal.web import permissions, session
from portal.web.accounts import reauthentication
from portal.web.accounts.sign_in import home_of, unreferred
from portal.web.accounts.single_sign_on import pending
from portal.web.accounts.single_sign_on.blueprint import bp
from portal.web.accounts.single_sign_on.configured import provider
from portal.web.accounts.single_sign_on.faults import SignOnFault
from portal.web.htmx import see_other
from portal.web.session import client_address, safe_next

log = logging.getLogger(__name__)
LONGEST_NEXT = 300


def leave(purpose: str, go_on: str, **more: Any) -> Response:
    """To the provider, by a page that goes on by itself: browsers hold a form's redirects to our own form-action, and
    nobody knows over which hosts a provider sends people."""
    address = pending.begin(purpose, go_on=go_on, **more)
    return unreferred(render_template("accounts/single_sign_on/leave.html", address=address))


@bp.post("")
def enter() -> Response:
    return leave("enter", next_path(""))


@bp.post("/prove")
@permissions.signed_in
def prove() -> Response:
    """Sign in there again, to change here how one signs in."""
    return leave("prove", next_path("/account"), account_id=permissions.account().id, anew=True)


def next_path(fallback: str) -> str:
    """Where the person goes on afterwards; a cookie has room for a short address."""
    path = safe_next(request.form.get("next"), fallback)
    return path if len(path) <= LONGEST_NEXT else fallback


@bp.get("/back")
def back() -> Response:
    """Back from the provider. What was begun under the state says what it is for."""
    entry = pending.take(request.args.get("state"))
    person = who_came(entry)
    return unreferred({"enter": entered, "prove": proved, "link": linked}[entry["for"]](person, entry))


def _of_provider(code: str, text: str) -> Message:
    return say(code, text, provider=config.settings().oidc_name)


def who_came(entry: dict[str, Any]) -> Person:
    """The person who came back; a code that proves nothing counts as a failed sign-in of its address."""
    site_provider = provider()
    issuer = request.args.get("iss")
    if issuer != site_provider.issuer and (issuer is not None or site_provider.demands_issuer()):
        raise SignOnFault(_of_provider("answer_of_another", "This answer is not from {provider}."))
    code = request.args.get("code")
    if not code:
        log.info("somebody came back without a code: %.80r", request.args.get("error"))
        raise SignOnFault(_of_provider("not_signed_on", "You did not sign in with {provider}. Nothing was changed."))
    limits = rate_limit.sign_on_limits(client_address())
    rate_limit.check(limits)
    try:
        return site_provider.person(code, back=pending.back(), nonce=entry["nonce"], verifier=entry["verifier"])
    except SignOnFault as error:
        if error.status == SignOnFault.status:
            with db.transaction():
                rate_limit.count(*limits)
        raise


def entered(person: Person, entry: dict[str, Any]) -> Response:
    try:
        with db.transaction():
            account = identities.sign_on(person)
            session.sign_in(account, by_provider=True)
    except identities.Occupied:
        pending.hold(person, entry["next"])
        return see_other("/signon/link")
    reauthentication.note(account, person.seen_at)
    return see_other(safe_next(entry["next"], home_of(account)))


def who_began(entry: dict[str, Any]) -> Account:
    """The account that was signed in to before it was left for the provider, if it is still."""
    account = session.actor()
    if account is None or account.id != entry["account"]:
        raise SignOnFault(say("signed_out_meanwhile", "You signed out of the account meanwhile. Nothing was changed."))
    return account


def proved(person: Person, entry: dict[str, Any]) -> Response:
    name, account = config.settings().oidc_name, who_began(entry)
    identity = identities.find(person.issuer, person.subject)
    if identity is None or identity.account_id != account.id:
        raise SignOnFault(
            _of_provider("signed_on_as_another", "With {provider} you signed in as somebody else. Nothing was changed.")
        )
    if person.seen_at is None or person.seen_at < entry["at"] - reauthentication.SKEW:
        raise SignOnFault(
            _of_provider(
                "sign_on_not_fresh",
                "{provider} does not say that you signed in there just now. Set a password by mail instead.",
            )
        )
    reauthentication.note(account, person.seen_at)
    flash(f"You signed in with {name} just now; for ten minutes that counts as your password.", "ok")
    return see_other(safe_next(entry["next"], "/account"))


def linked(person: Person, entry: dict[str, Any]) -> Response:
    account = who_began(entry)
    with db.transaction():
        identities.link(account, person, actor=account)
    flash(f"From now on {config.settings().oidc_name} opens this account too.", "ok")
    return see_other("/account#signon")


@bp.get("/left")
def left() -> str:
    """Signed out here; the provider has a session of its own, which on a shared machine should end too."""
    try:
        address = provider().way_out()
    except errors.DomainError:
        address = ""
    return render_template("accounts/single_sign_on/left.html", address=address)


@bp.errorhandler(errors.DomainError)
def refused(error: errors.DomainError) -> Response:
    """Why nobody was signed in, and the ways that remain. The address may hold a code."""
    if isinstance(error, errors.SignInNeeded | errors.NotFound):
        return answers.refused(error)
    title = error.title if isinstance(error, SignOnFault | errors.Throttled) else "You are not signed in"
    if session.actor() is not None and error.status < 500:
        title = "Nothing was changed"
    page = make_response(
        render_template("accounts/single_sign_on/refused.html", error=error, title=title), error.status
    )
    if error.status in (429, 503):
        page.headers["Retry-After"] = str(error.more.get("retry_after", 30))
    return unreferred(page)
