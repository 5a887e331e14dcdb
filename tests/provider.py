"""An OpenID Connect provider on a port of its own: discovery, a page to sign in, a token for a code and its PKCE
verifier, keys, userinfo. It keeps the rules, except for what a test tells it to twist."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "omix", "a secret of the portal"
INES = {"sub": "248289761001", "email": "ines.okafor@example.org", "email_verified": True, "name": "Ines Okafor"}


@cache
def key(whose: str = "provider") -> RSAKey:
    """The key of the provider, or of a stranger who gives his the same name; made when it is first used."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any], _header: dict[str, Any]) -> str:
    return ".".join(_text(json.dumps(part).encode()) for part in ({"alg": "none", "typ": "JWT"}, claims)) + "."


def shared_secret(claims: dict[str, Any], _header: dict[str, Any]) -> str:
    """Signed with the public key as if it were a shared secret."""
    public = key().as_pem(private=False)
    head, body = (_text(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, claims))
    mac = hmac.new(public, f"{head}.{body}".encode(), "sha256").digest()
    return f"{head}.{body}.{_text(mac)}"


def signed(claims: dict[str, Any], header: dict[str, Any]) -> str:
    return jwt.encode(header, claims, key())


def foreign(claims: dict[str, Any], header: dict[str, Any]) -> str:
    return jwt.encode(header, claims, key("stranger"))


class Provider:
    """`with Provider() as provider:`. `person` is signed in at it; None shows a page with a button for Ines."""

    def __init__(self, client_id: str = CLIENT, secret: str = SECRET) -> None:
        self.client_id, self.secret = client_id, secret
        self.person: dict[str, Any] | None = dict(INES)
        self.claims: dict[str, Any] = {}  # laid over the ID token
        self.described: dict[str, Any] = {}  # laid over the description
        self.userinfo: dict[str, Any] | None = None
        self.sign: Callable[[dict[str, Any], dict[str, Any]], str] = signed
        self.keys: list[RSAKey | ECKey] = [key()]
        self.auth_time = True
        self.silent = False
        self.described_times = 0
        self.asked: list[dict[str, str]] = []  # what came to the sign-in page
        self.codes: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.refused: list[str] = []

    def __enter__(self) -> "Provider":
        provider = self

        class Handler(_Handler):
            house = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def description(self) -> dict[str, Any]:
        at = {
            name: f"{self.issuer}/{path}"
            for name, path in (
                ("authorization_endpoint", "authorize"),
                ("token_endpoint", "token"),
                ("jwks_uri", "keys"),
                ("userinfo_endpoint", "userinfo"),
                ("end_session_endpoint", "leave"),
            )
        }
        return {
            "issuer": self.issuer,
            **at,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.described,
        }

    def code_for(self, asked: dict[str, str], person: dict[str, Any]) -> str:
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"asked": asked, "person": person, "at": int(time.time())}
        return code

    def fault(self, asked: dict[str, str]) -> str:
        """What is wrong with a request for sign-in."""
        wanted = {"client_id": self.client_id, "response_type": "code", "code_challenge_method": "S256"}
        wrong = [name for name, value in wanted.items() if asked.get(name) != value]
        wrong += [name for name in ("state", "nonce", "code_challenge", "redirect_uri") if not asked.get(name)]
        return ", ".join(wrong + ([] if "openid" in asked.get("scope", "").split() else ["scope"]))

    def token(self, sent: dict[str, str], authorization: str) -> dict[str, Any]:
        """The answer to a code; what is wrong is kept in `refused`."""
        known = self.codes.pop(sent.get("code", ""), None)
        if not self._is_client(sent, authorization):
            return self._refuse("invalid_client")
        if known is None or sent.get("redirect_uri") != known["asked"]["redirect_uri"]:
            return self._refuse("invalid_grant")
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        if _text(digest) != known["asked"]["code_challenge"]:
            return self._refuse("invalid_grant")
        access = secrets.token_urlsafe(16)
        self.tokens[access] = known["person"] if self.userinfo is None else self.userinfo
        return {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(known)}

    def id_token(self, known: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": known["asked"]["nonce"],
            **known["person"],
        }
        if self.auth_time:
            claims["auth_time"] = now if "max_age" in known["asked"] else now - 3600
        claims |= self.claims
        kept = {name: value for name, value in claims.items() if value is not None}
        return self.sign(kept, {"alg": "RS256", "kid": "one"})

    def _is_client(self, sent: dict[str, str], authorization: str) -> bool:
        if not self.secret:
            return sent.get("client_id") == self.client_id and not authorization
        plain = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        posted = (sent.get("client_id"), sent.get("client_secret")) == (self.client_id, self.secret)
        only_posted = self.described.get("token_endpoint_auth_methods_supported") == ["client_secret_post"]
        return posted if only_posted else authorization == f"Basic {plain}"

    def _refuse(self, error: str) -> dict[str, Any]:
        self.refused.append(error)
        return {"error": error}


class _Handler(BaseHTTPRequestHandler):
    house: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            self.house.described_times += 1
            return self._json(503 if self.house.silent else 200, self.house.description())
        if parts.path == "/keys":
            return self._json(200, {"keys": [key.as_dict(private=False) for key in self.house.keys]})
        if parts.path == "/userinfo":
            known = self.house.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            return self._json(200 if known else 401, known or {})
        if parts.path == "/authorize":
            return self._authorize(asked)
        return self._answer(404, "text/plain", b"")

    def _authorize(self, asked: dict[str, str]) -> None:
        self.house.asked.append(asked)
        wrong = self.house.fault(asked)
        if wrong:
            return self._answer(400, "text/plain", f"wrong: {wrong}".encode())
        if self.house.person is not None:
            return self._back(asked, self.house.person)
        kept = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in asked.items())
        page = f"<!doctype html><title>Northmere</title><form method=post>{kept}<button>I am Ines</button></form>"
        return self._answer(200, "text/html; charset=utf-8", page.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        if self.path.startswith("/authorize"):
            return self._back(sent, INES)
        if self.house.silent:
            return self._answer(503, "text/html", b"down")
        answer = self.house.token(sent, self.headers.get("Authorization", ""))
        return self._json(400 if "error" in answer else 200, answer)

    def _back(self, asked: dict[str, str], person: dict[str, Any]) -> None:
        query = urlencode({"code": self.house.code_for(asked, person), "state": asked["state"]})
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{query}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, "application/json", json.dumps(value).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass
