"""The OpenID Connect provider, as Authlib speaks to it: what it says of itself, where a person is sent (PKCE S256,
state, nonce), and what its token must hold before anybody is believed to be somebody."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from joserfc.errors import JoseError

from portal import config
from portal.domain.accounts.identities import Person
from portal.web.accounts.single_sign_on.discovery import checked, words
from portal.web.accounts.single_sign_on.faults import SignOnFault, Unreachable, silent

log = logging.getLogger(__name__)
# How the portal proves itself there: the default of the protocol, and what some take instead.
BASIC, POSTED = "client_secret_basic", {"token_endpoint_auth_method": "client_secret_post"}
PATIENCE = (4, 10)  # seconds to be let in, and for each answer of the provider
# A provider that hangs must not hold every thread of the web: so many wait for it at once, the next so long for a turn,
# and one that did not answer is left alone for a moment.
TURNS, WAIT, REST = BoundedSemaphore(8), 2, 10
KNOWN_FOR = 600  # seconds until its description and keys are read anew
SKEW = 60  # seconds that its clock may be off


@dataclass(frozen=True)
class Sent:
    """Where a person is sent to, and what must come back with them."""

    url: str
    state: str
    nonce: str
    verifier: str


def known(issuer: str, client_id: str, secret: str) -> "Provider":
    """The provider at an address. Unreachable where it does not describe itself."""
    return _described(issuer, client_id, secret, int(time.monotonic() // KNOWN_FOR))


@lru_cache(maxsize=2)
def _described(issuer: str, client_id: str, secret: str, _age: int) -> "Provider":
    return Provider(issuer, client_id, secret)


_silent_until: dict[str, float] = {}


def forget() -> None:
    """Read its description and keys anew."""
    _described.cache_clear()
    _silent_until.clear()


@contextmanager
def turn() -> Iterator[None]:
    """A conversation with the provider; Unreachable where too many wait for it already."""
    if not TURNS.acquire(timeout=WAIT):
        raise Unreachable(silent())
    try:
        yield
    finally:
        TURNS.release()


class Provider:
    """One provider, described by itself when this object was made."""

    def __init__(self, issuer: str, client_id: str, secret: str) -> None:
        self._app = _app(issuer, client_id, secret)
        if _silent_until.get(issuer, 0) > time.monotonic():
            raise Unreachable(silent())
        try:
            with turn():
                said = dict(self._app.load_server_metadata())
        except (requests.RequestException, ValueError, TypeError) as error:
            log.warning("the provider %s does not describe itself: %.300r", issuer, error)
            _silent_until[issuer] = time.monotonic() + REST
            raise Unreachable(silent()) from error
        self.metadata = self._app.server_metadata = checked(said, issuer)
        self.issuer: str = self.metadata["issuer"]
        if secret and BASIC not in words(said, "token_endpoint_auth_methods_supported", BASIC):
            self._app.client_kwargs |= POSTED

    def send(self, back: str, *, anew: bool = False) -> Sent:
        """Where to send a person, who comes back to `back`; `anew` asks for their credentials whatever session they
        have there."""
        more = {"prompt": "login", "max_age": "0"} if anew else {}
        made = self._app.create_authorization_url(back, **more)
        return Sent(made["url"], made["state"], made["nonce"], made["code_verifier"])

    def person(self, code: str, *, back: str, nonce: str, verifier: str) -> Person:
        """Who somebody is, by the code they came back with."""
        try:
            with turn():
                token = self._app.fetch_access_token(redirect_uri=back, code=code, code_verifier=verifier)
                return _person(self.issuer, self._claims(token, nonce))
        except requests.RequestException as error:
            log.warning("the provider %s broke off: %.300r", self.issuer, error)
            raise Unreachable(silent()) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, ArithmeticError) as error:
            log.warning("the provider %s gave nothing to believe: %.300r", self.issuer, error)
            raise SignOnFault(
                f"What {config.settings().oidc_name} answered does not prove who you are. The reason is in the log of "
                "this site."
            ) from error

    def _claims(self, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """What the ID token says once it is believed; of the e-mail address also what the provider says when asked."""
        wanted = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._app.client_id},
            "sub": {"essential": True},
        }
        found = self._app.parse_id_token(token, nonce=nonce, claims_options=wanted, leeway=SKEW)
        if found is None:
            raise ValueError("there is no ID token in the answer")
        claims = dict(found)
        if "email" not in claims and "userinfo_endpoint" in self.metadata:
            more = self._app.userinfo(token=token)
            if more.get("sub") != claims["sub"]:
                raise ValueError("the userinfo is of somebody else")
            claims |= {name: more[name] for name in ("email", "email_verified", "name") if name in more}
        return claims

    def way_out(self) -> str:
        """Where a person ends their session there; empty where the provider names no such page."""
        if "end_session_endpoint" not in self.metadata:
            return ""
        return self._app.create_logout_url(client_id=self._app.client_id)["url"]

    def demands_issuer(self) -> bool:
        """Whether its answers always name it (RFC 9207), so that one of another provider is told apart."""
        return self.metadata["authorization_response_iss_parameter_supported"]


def _app(issuer: str, client_id: str, secret: str) -> FlaskOAuth2App:
    return FlaskOAuth2App(
        FlaskIntegration("signon"),
        name="signon",
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": PATIENCE,
            "leeway": 0,
        },
    )


def _person(issuer: str, claims: dict[str, Any]) -> Person:
    subject, seen = claims["sub"], claims.get("auth_time")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise SignOnFault(f"{config.settings().oidc_name} does not say who you are.")
    verified = str(claims.get("email_verified", "")).lower() == "true"  # some write it as a word
    name = claims.get("name") or " ".join(str(claims.get(part) or "") for part in ("given_name", "family_name"))
    return Person(
        issuer=issuer,
        subject=subject,
        email=str(claims.get("email") or "")[:320] if verified else "",
        name=str(name).strip()[:200],
        seen_at=int(seen * 1000) if isinstance(seen, int | float) else None,
    )
