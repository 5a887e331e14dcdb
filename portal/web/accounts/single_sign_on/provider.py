"""The OpenID Connect provider, through Authlib: its description, the authorization request (PKCE S256, state, nonce),
and the checks of its ID token before anybody is signed in."""

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
from portal.messages import say
from portal.web.accounts.single_sign_on.discovery import checked, words
from portal.web.accounts.single_sign_on.faults import SignOnFault, Unreachable, silent

log = logging.getLogger(__name__)
# How the portal proves itself there: the default of the protocol, and what some take instead.
BASIC, POSTED = "client_secret_basic", {"token_endpoint_auth_method": "client_secret_post"}
TIMEOUTS = (4, 10)  # seconds to connect, and for each answer of the provider
# A provider that hangs must not hold every thread of the web: so many talk to it at once, the next wait so long for a
# slot, and one that did not answer is left alone for a moment.
SLOTS, SLOT_WAIT, PAUSE = BoundedSemaphore(8), 2, 10
DESCRIBED_FOR = 600  # seconds until its description and keys are read anew
SKEW = 60  # seconds that its clock may be off


@dataclass(frozen=True)
class Sent:
    """An authorization request: the address to send a person to, and what must come back with them."""

    url: str
    state: str
    nonce: str
    verifier: str


def described(issuer: str, client_id: str, secret: str) -> "Provider":
    """The provider at an address. Unreachable where it does not describe itself."""
    return _described(issuer, client_id, secret, int(time.monotonic() // DESCRIBED_FOR))


@lru_cache(maxsize=2)
def _described(issuer: str, client_id: str, secret: str, _age: int) -> "Provider":
    return Provider(issuer, client_id, secret)


_silent_until: dict[str, float] = {}


def forget() -> None:
    """Read its description and keys anew."""
    _described.cache_clear()
    _silent_until.clear()


@contextmanager
def slot() -> Iterator[None]:
    """One of the few conversations with the provider at a time. Raises Unreachable where all are taken."""
    if not SLOTS.acquire(timeout=SLOT_WAIT):
        raise Unreachable(silent())
    try:
        yield
    finally:
        SLOTS.release()


class Provider:
    """One provider, described by itself when this object was made."""

    def __init__(self, issuer: str, client_id: str, secret: str) -> None:
        self._app = _app(issuer, client_id, secret)
        if _silent_until.get(issuer, 0) > time.monotonic():
            raise Unreachable(silent())
        try:
            with slot():
                document = dict(self._app.load_server_metadata())
        except (requests.RequestException, ValueError, TypeError) as error:
            log.warning("the provider %s does not describe itself: %.300r", issuer, error)
            _silent_until[issuer] = time.monotonic() + PAUSE
            raise Unreachable(silent()) from error
        self.metadata = self._app.server_metadata = checked(document, issuer)
        self.issuer: str = self.metadata["issuer"]
        if secret and BASIC not in words(document, "token_endpoint_auth_methods_supported", BASIC):
            self._app.client_kwargs |= POSTED

    def send(self, back: str, *, anew: bool = False) -> Sent:
        """Where to send a person, who comes back to `back`; `anew` asks for their credentials whatever session they
        have there."""
        more = {"prompt": "login", "max_age": "0"} if anew else {}
        request = self._app.create_authorization_url(back, **more)
        return Sent(request["url"], request["state"], request["nonce"], request["code_verifier"])

    def person(self, code: str, *, back: str, nonce: str, verifier: str) -> Person:
        """Who somebody is, by the code they came back with."""
        try:
            with slot():
                token = self._app.fetch_access_token(redirect_uri=back, code=code, code_verifier=verifier)
                return _person(self.issuer, self._claims(token, nonce))
        except requests.RequestException as error:
            log.warning("the provider %s broke off: %.300r", self.issuer, error)
            raise Unreachable(silent()) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, ArithmeticError) as error:
            log.warning("the provider %s gave nothing to believe: %.300r", self.issuer, error)
            raise SignOnFault(
                say(
                    "sign_on_unproven",
                    "What {provider} answered does not prove who you are. The reason is in the log of this site.",
                    provider=config.settings().oidc_name,
                )
            ) from error

    def _claims(self, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the verified ID token, with the e-mail address from the userinfo endpoint where it has none."""
        required = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._app.client_id},
            "sub": {"essential": True},
        }
        id_token = self._app.parse_id_token(token, nonce=nonce, claims_options=required, leeway=SKEW)
        if id_token is None:
            raise ValueError("there is no ID token in the answer")
        claims = dict(id_token)
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
        return str(self._app.create_logout_url(client_id=self._app.client_id)["url"])

    def demands_issuer(self) -> bool:
        """Whether its answers always name it (RFC 9207), so that one of another provider is told apart."""
        return bool(self.metadata["authorization_response_iss_parameter_supported"])


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
            "default_timeout": TIMEOUTS,
            "leeway": 0,
        },
    )


def _person(issuer: str, claims: dict[str, Any]) -> Person:
    subject, seen = claims["sub"], claims.get("auth_time")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise SignOnFault(
            say("no_subject", "{provider} does not say who you are.", provider=config.settings().oidc_name)
        )
    verified = str(claims.get("email_verified", "")).lower() == "true"  # some write it as a word
    name = claims.get("name") or " ".join(str(claims.get(part) or "") for part in ("given_name", "family_name"))
    return Person(
        issuer=issuer,
        subject=subject,
        email=str(claims.get("email") or "")[:320] if verified else "",
        name=str(name).strip()[:200],
        seen_at=int(seen * 1000) if isinstance(seen, int | float) else None,
    )
