"""The OMIX Portal. create_app() is the one place where the web is wired."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from portal.config import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The web of one instance. Background threads are the process's business (portal.arrival), not the app's."""
    # Loaded here, because FTP door, worker and commands import this package too and need no web.
    flask, web = import_module("flask"), import_module("portal.web")
    config, db, queue = (import_module(f"portal.{name}") for name in ("config", "db", "queue"))
    if settings is not None:
        config.use(settings)
    chosen = config.settings()
    chosen.prepare()
    app: Flask = flask.Flask(
        __name__,
        template_folder=str(config.ROOT / "templates"),
        static_folder=str(config.ROOT / "static"),
        instance_path=str(chosen.instance),
    )
    app.config["SETTINGS"] = chosen
    db.configure(chosen.database)
    queue.configure(chosen.queue)
    web.init_app(app, chosen)
    return app
