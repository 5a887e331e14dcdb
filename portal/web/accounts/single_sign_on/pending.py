"""What was begun at this site and may come back from the provider, once and soon; and who came back but has an account
to sign in to first. Both are kept in the signed cookie of the browser that began."""

from dataclasses import asdict
from typing import Any

from flask import session

from portal import clock, config, errors
from portal.domain.accounts.identities import Person
from portal.domain.shared.notifications import site_url
from portal.web.accounts.single_sign_on.configured import provider
from portal.web.accounts.single_sign_on.faults import SignOnFault

LIFETIME = 20 * clock.MINUTE
KEPT = 3  # a cookie is small; whoever opens more tabs finishes in the newest
PATH = "/signon/back"


def back() -> str:
    """Where the provider sends people to: registered there, so never what a request says."""
    return site_url(PATH)


def begin(purpose: str, *, go_on: str, account_id: int | None = None, anew: bool = False) -> str:
    """Remember what for; returns the address at the provider."""
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
    """What was begun under a state. It comes back once."""
    entries = session.get("begun", [])
    found = next((entry for entry in entries if entry["state"] == state), None)
    if found is not None:
        session["begun"] = [entry for entry in entries if entry is not found]
    if found is None or found["at"] + LIFETIME < clock.now():
        raise SignOnFault(
            f"This sign-on was used already, is older than {LIFETIME // clock.MINUTE} minutes or began in another "
            f"browser. Begin again at {site_url()}, with cookies allowed."
        )
    return found


def hold(person: Person, go_on: str) -> None:
    """Keep who came back until they have signed in to their account too."""
    session["held"] = {"person": asdict(person), "next": go_on, "until": clock.now() + LIFETIME}


def held() -> tuple[Person, str]:
    """Who waits to be linked, and where they wanted to go."""
    found = session.get("held")
    if not found or found["until"] < clock.now():
        raise errors.NotFound(f"Nothing waits to be linked. Sign in with {config.settings().oidc_name} again.")
    return Person(**found["person"]), found["next"]
