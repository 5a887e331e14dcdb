"""What every page and request has: the site's name and colour, the theme, limits, the end of the database session."""

from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, g, request, url_for
from flask_login import current_user

from portal import clock, config, db
from portal.domain.shared import notifications
from portal.web import formats

THEMES = ("auto", "light", "dark")
# The word of the menu that a room's pages stand under, where it is not the room's own name.
MENU = {
    "catalogue": "browse",
    "components": "datasets",
    "files": "datasets",
    "members": "uploads",
    "upcoming_releases": "review",
    "access_requests": "requests",
    **dict.fromkeys(("accounts", "account", "single_sign_on", "webhooks"), ""),
}
FORM_BYTES = 4 << 20
FORM_PARTS = 20_000


def init_app(app: Flask) -> None:
    app.config.update(MAX_CONTENT_LENGTH=FORM_BYTES, MAX_FORM_MEMORY_SIZE=FORM_BYTES, MAX_FORM_PARTS=FORM_PARTS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(context)
    app.teardown_appcontext(lambda _error: db.end())
    app.add_url_rule("/site.css", "site_css", site_css)


def context() -> dict[str, Any]:
    """The variables that templates/macros/README.md promises to every template."""
    theme = request.cookies.get("theme", "auto")
    name = request.blueprint or ""
    return {
        "site": site(),
        "theme": theme if theme in THEMES else "auto",
        "area": g.get("area", MENU.get(name, name)),
        "now": clock.now(),
        "current_user": current_user,
    }


def site() -> SimpleNamespace:
    settings = config.settings()
    return SimpleNamespace(
        name=settings.site_name,
        prefix=settings.prefix,
        contact=settings.contact,
        zone_label=formats.zone_label(settings.timezone, clock.now()),
        public_url=notifications.site_url(),
        registration=settings.registration,
        sign_on=settings.oidc_name if settings.oidc_issuer else "",
        sign_on_registers=settings.oidc_registration,
        sends_mail=bool(settings.mail_url),
        stylesheet=url_for("site_css"),
    )


def site_css() -> Response:
    """The site's one colour, which portal.css derives the rest from."""
    accent = config.settings().accent
    answer = Response(f":root {{ --site-accent: {accent}; }}\n", mimetype="text/css")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
