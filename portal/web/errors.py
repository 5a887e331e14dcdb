"""Every error as a page, a fragment for htmx, or a problem document (RFC 9457) under /api."""

import logging
import re
import secrets
from typing import Any

from flask import Flask, Response, flash, g, jsonify, render_template, request, url_for
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from portal import db, errors
from portal.domain.accounts import tokens
from portal.messages import say
from portal.web import htmx

log = logging.getLogger(__name__)


MOST_TYPED = 1 << 20
SAYS_WHY = "download_sign_in"  # told on the sign-in page: who follows a link to a controlled file learns who decides
# Fields in which people write; secrets and what the page itself put into the form are left out.
TYPED_FIELDS = re.compile(
    r"title|description|text|note|remark|name|species|investigator|samples|digests|sheet|purpose|md5|number|answer_"
    r"|institution|ethics|^questions$|^terms$|^label$|^value$"
)
NOT_TYPED = re.compile(r"was\.|csrf|once|.*password")


class OldPage(errors.DomainError):
    title, code = "Your page is old", "old_page"
    remedy = "Nothing was changed. Go back, load the page again and send it once more."


REMEDIES = {
    404: "Check the address. What is not released is shown only to the people it belongs to, once they are signed in.",
    403: "If you should be able to open this, ask whoever it belongs to.",
    405: "Use the buttons of the pages.",
    413: "Send large files by FTP or by the upload call of the API.",
    503: "Nothing was changed. Try again in a moment.",
}


def init_app(app: Flask) -> None:
    app.register_error_handler(errors.DomainError, refused)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(OverflowError, overflow)
    app.register_error_handler(Exception, internal_error)


def refused(error: errors.DomainError) -> Response:
    """The answer to an error of the domain; a browser that must sign in is sent to the sign-in page."""
    if isinstance(error, errors.SignInNeeded) and wants_page() and not typed():
        if error.message.code == SAYS_WHY:
            flash(error.sentence, "info")
        return redirect_to_sign_in()
    return answer(error.status, error.title, error.sentence, error)


def overflow(_error: OverflowError) -> Response:
    """The answer to a number in an address or form that is larger than any row id."""
    return refused(errors.NotFound(errors.NO_SUCH_ROW))


def csrf_error(_error: CSRFError) -> Response:
    error = OldPage(say("page_too_old", "The page you sent this from is too old, or another site sent it."))
    return answer(400, error.title, error.sentence, error)


def http_error(error: HTTPException) -> Response:
    """The answer to an HTTP error of Flask or Werkzeug. Redirects that are raised pass through."""
    code = error.code or 500
    if code < 400:
        return error.get_response()  # type: ignore[return-value]
    if code == 404:
        return answer(404, errors.NotFound.title, "", errors.NotFound())
    if code == 413:
        return refused(errors.TooLarge(say("body_over_page_limit", "This is more than this page takes.")))
    response = answer(code, error.name, error.description or "")
    response.headers.extend((name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After"))
    return response


def internal_error(error: Exception) -> Response:
    """An unexpected exception: logged whole under a number that the reader can name, shown without any of it."""
    reference = secrets.token_hex(4)
    log.error("fault %s at %s %s", reference, request.method, request.path, exc_info=error)
    g._login_user = AnonymousUserMixin()  # the page asks nothing more of a database that may be the cause
    if isinstance(error, SQLAlchemyError):
        db.end()
    return answer(500, "The fault is ours", "The portal could not do this.", reference=reference)


def answer(
    status: int, title: str, detail: str, error: errors.DomainError | None = None, reference: str = ""
) -> Response:
    remedy = getattr(error, "remedy", "") or REMEDIES.get(status, "")
    if request.path.startswith("/api/"):
        response = problem(status, title, detail, error, reference)
    else:
        response = html(status, title, detail, remedy, error, reference)
    if status in (429, 503):
        response.headers.setdefault("Retry-After", str(error.more.get("retry_after", 5) if error else 5))
    if status == 401:
        response.headers.setdefault("WWW-Authenticate", "Bearer")
    return response


def problem(status: int, title: str, detail: str, error: errors.DomainError | None, reference: str) -> Response:
    document: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail or title}
    document["code"] = "fault" if reference else re.sub(r"\W+", "_", title.lower())
    if error is not None:
        kind = url_for("help.topic", topic="errors", _anchor=error.code, _external=True)
        document |= {"type": kind, "code": error.code}
        document["help"] = url_for("help.topic", topic=error.topic, _external=True)
        document |= {name: value for name, value in error.more.items() if isinstance(value, str | int | list | dict)}
        if error.fields:
            document["errors"] = [{"field": sent_as(name), "detail": text} for name, text in error.fields.items()]
    if reference:
        document["reference"] = reference
    response = jsonify(document)
    response.status_code, response.mimetype = status, "application/problem+json"
    return response


def sent_as(field: str) -> str:
    """The API's name of a field that forms and tables call otherwise."""
    field = re.sub(r"\bdeclared_md5$", "md5", field)
    return re.sub(r"^answer_([a-z])$", lambda match: f"answers.{ord(match[1]) - ord('a')}", field)


def html(
    status: int, title: str, detail: str, remedy: str, error: errors.DomainError | None, reference: str
) -> Response:
    fields = list(error.fields.values()) if error else []
    context = {
        "code": status,
        "title": title,
        "detail": " ".join([detail if detail != title else "", *fields]).strip(),
        "remedy": remedy,
        "links": links(error),
        "typed": typed() if status in (400, 401, 500, 503) else [],
        "reference": reference,
        "bare": status >= 500,
    }
    name = "errors/_problem.html" if htmx.is_htmx() else "errors/problem.html"
    page = Response(render_template(name, **context), status, mimetype="text/html")
    htmx.vary(page)
    return page


def typed() -> list[tuple[str, str]]:
    """The text fields of a refused form as (name, value), to be shown and copied: no secrets and no choices."""
    small = request.mimetype == "application/x-www-form-urlencoded" and (request.content_length or 0) < MOST_TYPED
    own = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    if request.method != "POST" or not small or not own or request.path.startswith("/api/"):
        return []
    fields = [
        (name, value) for name, value in request.form.items() if TYPED_FIELDS.search(name) and not NOT_TYPED.match(name)
    ]
    return [(name, value) for name, value in fields if value.strip()]


def links(error: errors.DomainError | None) -> list[tuple[str, str]]:
    if error is None:
        return [(url_for("help.topic", topic="errors"), "What this means")]
    ways = [(url_for("accounts.login_page"), "Sign in")] if isinstance(error, errors.SignInNeeded) else []
    if isinstance(error, tokens.DeadLink):
        ways.append((url_for("accounts.reset_page"), "Get a new link"))
    if accession := error.more.get("accession"):
        ways.append((url_for("catalogue.short", accession=accession), f"Open {accession}"))
    anchor = error.code if error.topic == "errors" else None
    return [*ways, (url_for("help.topic", topic=error.topic, _anchor=anchor), "How this works")]


def wants_page() -> bool:
    """Whether a person with a browser asks; a program gets the status instead of a sign-in form."""
    page = "text/html" in request.headers.get("Accept", "") or htmx.is_htmx()
    return page and not request.path.startswith("/api/") and "Authorization" not in request.headers


def redirect_to_sign_in() -> Response:
    """Send the browser to the sign-in page, and from there back to where the reader was."""
    back = htmx.page_address() if htmx.is_htmx() or request.method == "GET" else None
    return htmx.go_to(url_for("accounts.login_page", next=back))
