"""The only module that knows the HX-* headers: the same view answers a browser without scripts and htmx."""

from typing import Any, cast

from flask import Response, make_response, redirect, render_template, request


def is_htmx() -> bool:
    """Whether htmx asks for a fragment. Boosted links and restored history want whole pages."""
    headers = request.headers
    return "HX-Request" in headers and not {"HX-Boosted", "HX-History-Restore-Request"} & set(headers.keys())


def see_other(url: str) -> Response:
    """A 303 redirect, which every form answers with."""
    return cast(Response, redirect(url, 303))  # it is the app's own class, which Flask does not say


def vary(answer: Response) -> None:
    """Say that htmx gets another answer at this address."""
    answer.vary.add("HX-Request")


def fragment(template: str, status: int = 200, **context: Any) -> Response:
    """A template as an answer that differs for htmx."""
    answer = make_response(render_template(template, **context), status)
    vary(answer)
    return answer


def fragment_or_redirect(template: str, url: str, **context: Any) -> Response:
    """After a form: htmx gets the changed fragment, everybody else is sent to the page (303)."""
    return fragment(template, **context) if is_htmx() else see_other(url)


def fragment_or_page(fragment_template: str, page_template: str, status: int = 200, **context: Any) -> Response:
    """htmx gets the fragment, everybody else the page."""
    return fragment(fragment_template if is_htmx() else page_template, status, **context)


def go_to(url: str) -> Response:
    """Send the whole browser window to another page after a form."""
    if not is_htmx():
        return see_other(url)
    answer = Response(status=204)
    answer.headers["HX-Redirect"] = url
    return answer


def reload() -> Response:
    """Load the page anew (htmx), or go back to it."""
    if not is_htmx():
        return see_other(request.full_path.rstrip("?"))
    answer = Response(status=204)
    answer.headers["HX-Refresh"] = "true"
    return answer


def unchanged() -> Response:
    """The answer to a poll that would show nothing new."""
    return Response(status=204)


def page_address() -> str:
    """The path of the page in which htmx runs; else of this request."""
    current = request.headers.get("HX-Current-URL", "")
    _, separator, rest = current.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        return slash + path if host else "/"
    return request.full_path.rstrip("?")
