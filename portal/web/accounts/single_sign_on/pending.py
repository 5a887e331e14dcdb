"""What was begun at this site and may come back from the provider, once and soon; and who came back but has an account
to sign in to first. Both are kept in the signed cookie of the browser that began."""

from dataclasses import asdict
from typing import Any

from flask import session

from portal import clock, config, errors
from portal.domain.accounts.identities import Person
from portal.domain.shared.notifications import site_url
from portal.messages import say
from portal.web.accounts.single_sign_on.configured import provider
from portal.web.accounts.single_sign_on.faults import SignOnFault

LIFETIME = 20 * clock.MINUTE
KEPT = 3  # a cookie is small; whoever opens more tabs finishes in the newest
PATH = "/signon/back"


def back() -> str:
    """Where the provider sends people to: registered there, so never what a request says."""
    return site_url(PATH)


def begin(purpose: str, *, go_on: str, account_id: int | None = None, anew: bool = False) -> str:
    """Remember what the sign-on is for (`purpose`); returns the address at the provider to send the browser to."""
    sent = provider().send(back(), anew=anew)
    entry = {
        "state": sent.state,
        "nonce": sent.nonce,
        "verifier": sent.verifier,
        "at": clock.now(),
        "for": purpose,
        "next": go_on,
        "account": account_id,
    }
    session["begun"] = [*session.get("begun", []), entry][-KEPT:]
    return sent.url


def take(state: str | None) -> dict[str, Any]:
    """What was begun under a `state` of the protocol. It is given once. Raises SignOnFault."""
    entries: list[dict[str, Any]] = session.get("begun", [])
    mine = next((entry for entry in entries if entry["state"] == state), None)
    if mine is not None:
        session["begun"] = [entry for entry in entries if entry is not mine]
    if mine is None or mine["at"] + LIFETIME < clock.now():
        raise SignOnFault(
            say(
                "sign_on_over",
                "This sign-on was used already, is older than {minutes} minutes or began in another browser. Begin "
                "again at {site}, with cookies allowed.",
                minutes=LIFETIME // clock.MINUTE,
                site=site_url(),
            )
        )
    return mine


def hold(person: Person, go_on: str) -> None:
    """Keep who came back until they have signed in to their account too."""
    session["held"] = {"person": asdict(person), "next": go_on, "until": clock.now() + LIFETIME}


def held() -> tuple[Person, str]:
    """The person who waits to be linked, and the path they wanted to go to. Raises NotFound."""
    entry = session.get("held")
    if not entry or entry["until"] < clock.now():
        raise errors.NotFound(
            say(
                "nothing_to_link",
                "Nothing waits to be linked. Sign in with {provider} again.",
                provider=config.settings().oidc_name,
            )
        )
    return Person(**entry["person"]), entry["next"]
