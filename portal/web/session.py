"""Who asks: a server-side session (the cookie carries an opaque key whose hash is a token row) or a bearer token.

The cookie is written only when the session changes, so that a poll sets none. A request with an Authorization header
never counts as signed in by its cookie and opens the API and documents alone; every other unsafe request needs the CSRF
token.
"""

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, request, session
from flask_login import AnonymousUserMixin, LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect, validate_csrf
from wtforms import ValidationError

from portal import config, db, errors, keys
from portal.config import Settings
from portal.domain.accounts import tokens
from portal.messages import say
from portal.models import Account, Token

LIFETIME = timedelta(days=14)
UNBOUNDED = 1 << 62
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# Addresses among the pages that serve documents, which programs fetch by token as well; so is all that is public.
DOCUMENTS = frozenset(
    (
        "access_requests.downloads",
        "access_requests.downloads_of",
        "access_requests.letter",
        "access_requests.public_key",
        "access_requests.statement",
        "admin.events_csv",
        "files.export",
        "components.delivery",
        "components.script",
        "reports.show",
        "tracking.export_components",
        "tracking.export_files",
        "tracking.export_submissions",
        "tracking.report",
        "tracking.report_now",
    )
)
NO_PAGES = say(
    "token_opens_no_pages",
    "A token or password in the request's header opens the API and downloads, no pages. Sign in with a browser.",
)


def init_app(app: Flask, settings: Settings) -> None:
    https = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=secret_key(settings),
        SESSION_COOKIE_NAME="__Host-omix" if https else "omix",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        WTF_CSRF_TIME_LIMIT=None,  # a form left open over lunch still saves; the token ends with the session
        WTF_CSRF_CHECK_DEFAULT=False,  # protect() below decides
    )
    CSRFProtect(app)
    manager = LoginManager(app)
    manager.session_protection = None
    manager.request_loader(load)
    app.before_request(protect)


def secret_key(settings: Settings) -> str:
    """The key that signs cookies: the setting, else the instance's own, made by whichever process comes first."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.keys / "secret"
    if not path.exists():
        keys.write_once(path, secrets.token_urlsafe(48).encode())
    return path.read_text()


def load(_request: Request) -> Account | None:
    """The account behind this request; flask-login calls it once, when current_user is first asked for."""
    bearer = bearer_secret()
    if bearer is not None:
        token = tokens.find("api", bearer)
        if token is None:
            g._login_user = AnonymousUserMixin()  # or the page that says so would ask again
            raise errors.SignInNeeded(
                say("token_unknown", "This API token is not known: it is wrong, has expired or was revoked.")
            )
        return token.account if token.account.is_active else None
    secret = session.get("key")
    token = tokens.find("session", secret) if secret else None
    return token.account if token and token.account.is_active else None


def bearer_secret() -> str | None:
    """The bearer token of the request; None where there is no Authorization header."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def actor() -> Account | None:
    """The signed-in account itself, as the domain's `actor=` wants it."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def sign_in(account: Account, *, by_provider: bool = False) -> None:
    """A new session with a new key and a new CSRF token; the former one ends. Needs a transaction."""
    if "Authorization" in request.headers:
        raise errors.Forbidden(NO_PAGES)  # or a token that leaked would become a session that outlives it
    by_provider = by_provider or is_by_provider()
    end_token()
    session.clear()
    if by_provider:
        session["by_provider"] = True
    session["key"] = tokens.issue(account, "session", lifetime=int(LIFETIME.total_seconds() * 1000))
    session.permanent = True
    g._login_user = account


def is_by_provider() -> bool:
    """Whether this browser came in through single sign-on, and so may be signed in at the provider still."""
    return bool(session.get("by_provider", False))


def sign_out() -> None:
    """End the session of this browser. Needs a transaction."""
    end_token()
    session.clear()
    g.pop("_login_user", None)


def end_token() -> None:
    """Delete the session row that this browser's cookie names, if any."""
    token: Token | None = tokens.find("session", session["key"]) if "key" in session else None
    if token is not None:
        db.session.delete(token)


def protect() -> None:
    """Refuse a page to a token, and an unsafe request that another site may have caused."""
    if not request.endpoint:
        return
    if "Authorization" in request.headers and not takes_token():
        g._login_user = AnonymousUserMixin()
        raise errors.Forbidden(NO_PAGES)
    if request.method in SAFE_METHODS or bearer_secret():
        return
    if is_cross_site():
        raise CSRFError("This request came from another site.")
    if "Authorization" in request.headers:
        return  # the cookie counts for nothing
    if request.blueprint == "api" and not current_user.is_authenticated:
        return  # there is no cookie to abuse; the call's own guard answers 401
    if getattr(current_app.view_functions.get(request.endpoint), "reads_raw_body", False):
        lift_body_limit()
        if "X-CSRFToken" in request.headers or request.blueprint == "api":
            check_csrf(request.headers.get("X-CSRFToken"))
        return  # a form's view calls check_csrf() with the token it finds in the body
    check_csrf(request.headers.get("X-CSRFToken") or request.form.get("csrf_token"))


def takes_token() -> bool:
    """Whether programs come to this address with a token: the API, and what only reads public things or documents."""
    area = (request.blueprint or "").partition(".")[0]
    if area == "api":
        return True
    return request.method in SAFE_METHODS and (area in ("", "catalogue") or request.endpoint in DOCUMENTS)


def lift_body_limit() -> None:
    """Let quota and disk bound the body of this request, not the limit of forms (None would mean that one again)."""
    request.max_content_length = UNBOUNDED


def check_csrf(token: str | None) -> None:
    """Raises CSRFError on a token that is not this session's."""
    try:
        validate_csrf(token)
    except ValidationError as error:
        raise CSRFError(str(error)) from error


def is_cross_site() -> bool:
    """Whether the browser says that another site sent this. Old browsers say nothing; the token decides there."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return True
    origin = request.headers.get("Origin")
    if not origin or origin == "null":
        return False
    ours = {request.host, urlsplit(config.settings().public_url).netloc}
    return urlsplit(origin).netloc not in ours


def safe_next(address: str | None, fallback: str = "/") -> str:
    """A path of this site to go on to. The fallback for anything else, and for what a browser may read as a host."""
    address = address or ""
    plain = address.startswith("/") and not address.startswith(("//", "/\\"))
    printable = address.isprintable() and "\\" not in address
    return address if plain and printable else fallback


def is_https() -> bool:
    return config.settings().public_url.startswith("https://")


def client_address() -> str:
    """Where the request came from. Only a proxy on this machine is believed about whom it speaks for."""
    peer = request.remote_addr or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded if forwarded and peer in ("127.0.0.1", "::1") else peer
