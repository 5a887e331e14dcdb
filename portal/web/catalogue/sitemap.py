"""What search engines shall read: /robots.txt, and the landing pages of what is released as /sitemap.xml. Beyond 50,000
datasets that is an index of maps, each of a range of ids, so that no map walks through those before it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from flask import Blueprint, Response, url_for

from portal import errors
from portal.messages import say
from portal.queries.catalogue import released_datasets as released

bp = Blueprint("sitemap", __name__)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
PRIVATE = (
    "/account",
    "/admin",
    "/api/",
    "/area",
    "/deposit",
    "/requests",
    "/review",
    "/share/",
    "/tracking",
    "/datasets/*/all.zip",
    "/datasets/*/files/",
)


@bp.get("/robots.txt")
def robots() -> Response:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        "",
        f"Sitemap: {url_for('catalogue.sitemap.first', _external=True)}",
    ]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@bp.get("/sitemap.xml")
def first() -> Response:
    ranges = released.ranges()
    if sum(address.count for address in ranges) <= released.RANGE:
        home = (url_for("catalogue.home", _external=True), None)
        return map_of([home, *(row for address in ranges for row in addresses(address.n))])
    maps = [(url_for("catalogue.sitemap.part", n=address.n, _external=True), address.updated_at) for address in ranges]
    return written("sitemapindex", "sitemap", maps)


@bp.get("/sitemap-<int:n>.xml")
def part(n: int) -> Response:
    rows = addresses(n)
    if not rows:
        raise errors.NotFound(say("sitemap_unknown", "There is no such map."))
    return map_of(rows)


def addresses(n: int) -> list[tuple[str, int | None]]:
    """Each landing page of a range, and when it last changed."""
    pattern = url_for("catalogue.landing", ref="-", _external=True)
    return [(pattern.removesuffix("-") + accession, updated_at) for accession, updated_at in released.in_range(n)]


def map_of(rows: list[tuple[str, int | None]]) -> Response:
    return written("urlset", "url", rows)


def written(root: str, item: str, rows: Iterable[tuple[str, int | None]]) -> Response:
    body = "".join(f"<{item}><loc>{escape(address)}</loc>{changed(at)}</{item}>\n" for address, at in rows)
    return Response(f'{HEAD}<{root} xmlns="{SPACE}">\n{body}</{root}>\n', mimetype="application/xml")


def changed(at: int | None) -> str:
    if at is None:
        return ""
    return f"<lastmod>{datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec='seconds')}</lastmod>"
