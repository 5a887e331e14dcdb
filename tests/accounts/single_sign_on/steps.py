"""The steps of a sign-on, as a browser takes them between the portal and the provider."""

import re
import urllib.error
import urllib.request
from html import unescape
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from portal import db
from portal.models import Event

NEW = {"sub": "77", "email": "Nils.Berg@example.org", "email_verified": True, "name": "Nils Berg"}


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args, **_kwargs):
        return None


def address(answer) -> str:
    """Where the page that leaves for the provider leads."""
    assert answer.status_code == 200, answer.text
    found = re.search(r'content="0;url=([^"]+)"', answer.text)
    assert found, answer.text
    return unescape(found[1])


def returned(url: str) -> str:
    """What the provider sends the browser back to, as a path of the portal."""
    try:
        urllib.request.build_opener(_Stay).open(url, timeout=10)
    except urllib.error.HTTPError as moved:
        with moved:
            parts = urlsplit(moved.headers["Location"])
            return f"{parts.path}?{parts.query}"
    raise AssertionError("the provider sent nobody back")


def begun(client, start: str = "/signon", **fields) -> str:
    """The address that the browser comes back to, not yet opened."""
    return returned(address(client.send(start, **fields)))


def sign_on(client, start: str = "/signon", **fields):
    answer = client.get(begun(client, start, **fields))
    client.token = None
    return answer


def part(url: str, name: str) -> str:
    """A value of a query."""
    return parse_qs(urlsplit(url).query)[name][0]


def is_signed_in(client) -> bool:
    return client.get("/account").status_code == 200


def actions() -> list[str]:
    return list(db.session.scalars(select(Event.action).order_by(Event.id)))
