"""Wires the web: converters, what every request has, and the blueprint of each room."""

from flask import Flask
from werkzeug.routing import BaseConverter, Map

from portal import config, db, queue
from portal.config import Settings
from portal.web import (
    access_requests,
    admin,
    api,
    datasets,
    errors,
    files,
    formats,
    headers,
    review,
    session,
    shell,
    tracking,
    uploads,
)
from portal.web.accounts import account, quota_requests, sign_in, single_sign_on
from portal.web.catalogue import pages as catalogue
from portal.web.components import pages as components
from portal.web.datasets import share_page
from portal.web.files import members
from portal.web.help import pages as help_pages
from portal.web.reports import public_mirror
from portal.web.review import upcoming_releases
from portal.web.webhooks import pages as webhooks

BLUEPRINTS = (
    sign_in.bp,
    account.bp,
    webhooks.bp,
    single_sign_on.bp,
    admin.bp,
    datasets.bp,
    files.bp,
    components.bp,
    upcoming_releases.bp,
    review.bp,
    tracking.bp,
    public_mirror.bp,
    uploads.bp,
    quota_requests.bp,
    members.bp,
    catalogue.bp,
    access_requests.bp,
    share_page.bp,
    help_pages.bp,
    api.bp,
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
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def create(settings: Settings | None = None) -> Flask:
    """A Flask application for these settings; without any, for those of the process."""
    if settings is not None:
        config.use(settings)
    chosen = config.settings()
    chosen.prepare()
    app = Flask(
        "portal",
        template_folder=str(config.ROOT / "templates"),
        static_folder=str(config.ROOT / "static"),
        instance_path=str(chosen.instance),
    )
    app.config["SETTINGS"] = chosen
    db.configure(chosen.database)
    queue.configure(chosen.queue)
    init_app(app, chosen)
    return app
