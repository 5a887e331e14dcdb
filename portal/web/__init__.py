"""HTTP in, HTML out: one blueprint per area. init_app() puts the shell around them."""

from importlib import import_module
from importlib.util import find_spec

from flask import Flask
from werkzeug.routing import BaseConverter, Map

from portal.config import Settings
from portal.web import errors, formats, headers, session, shell

# Each of these modules exports its blueprint as `bp`.
AREAS = (
    "accounts",
    "account",
    "webhooks",
    "signon",
    "admin",
    "deposit",
    "metadata",
    "opening",
    "review",
    "tracking",
    "reports",
    "area",
    "quota",
    "members",
    "public",
    "access",
    "share",
    "help",
    "api",
)


class Regex(BaseConverter):
    """A part of an address by its form: /<regex("..."):name>."""

    def __init__(self, url_map: Map, form: str) -> None:
        super().__init__(url_map)
        self.regex = form


def init_app(app: Flask, settings: Settings) -> None:
    app.url_map.converters["regex"] = Regex
    session.init_app(app, settings)
    headers.init_app(app)
    formats.init_app(app)
    shell.init_app(app)
    errors.init_app(app)
    register(app)


def register(app: Flask) -> None:
    for name in AREAS:
        path = f"{__name__}.{name}"
        if find_spec(path) is not None:
            module = import_module(path)
            if hasattr(module, "bp"):
                app.register_blueprint(module.bp)
