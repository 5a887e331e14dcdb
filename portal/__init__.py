"""The OMIX Portal. create_app() is the one place where the web is wired."""

from flask import Flask

from portal import config, db, queue, web


def create_app(settings: config.Settings | None = None) -> Flask:
    """The web of one instance. Background threads are the process's business (portal.arrival), not the app's."""
    if settings is not None:
        config.use(settings)
    chosen = config.settings()
    chosen.prepare()
    app = Flask(
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
