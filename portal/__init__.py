"""The OMIX Portal. create_app() is the one place where the web is wired."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from portal.config import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The web of one instance. Background threads are the process's business (portal.ingest), not the app's."""
    # By name, because FTP server, worker and commands import this package too and must not load the web.
    app: Flask = import_module("portal.web.app").create(settings)
    return app
