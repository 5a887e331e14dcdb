"""The web as a WSGI application, for any server that streams request bodies: `gunicorn -k gthread wsgi:application`.

Such a server must call portal.ingest.start("web") in each worker after forking; `omix web` does all of this by itself.
"""

from portal import create_app

application = create_app()
