"""The headers of every answer: what a browser may run, frame, guess, tell others and keep."""

from flask import Flask, Response, request, session

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# Whatever is no page of ours may hold what somebody sent: opened in the browser, it is nobody's page and runs nothing.
SANDBOX = "sandbox; default-src 'none'"


def init_app(app: Flask) -> None:
    app.after_request(add)


def add(answer: Response) -> Response:
    """Add the headers that a view did not set itself; it may be stricter (no-referrer) or let bytes be cached."""
    headers = answer.headers
    # A worker among the static files runs under the policy of its own answer.
    ours = answer.mimetype == "text/html" or request.endpoint == "static"
    headers.setdefault("Content-Security-Policy", POLICY if ours else SANDBOX)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # same-origin, not no-referrer: under that one browsers send "Origin: null" with our own forms.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint in ("static", "site_css"):
        return answer
    answer.vary.add("Cookie")
    if "key" in session or "Authorization" in request.headers:
        if not answer.cache_control.public:
            headers["Cache-Control"] = "no-store"  # also in place of the word that a file is asked for anew
        answer.vary.add("Authorization")
    elif answer.mimetype == "text/html":
        headers.setdefault("Cache-Control", "private, no-cache")
    return answer
