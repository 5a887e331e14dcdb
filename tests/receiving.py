"""Fixtures: group commit and heartbeat running over a real database, and a way to send bytes in."""

import pytest

from portal import db, ingest
from portal.ingest import upload_session


@pytest.fixture
def receiving(database):
    ingest.start("test")
    yield
    ingest.stop()
    db.end()


@pytest.fixture
def send(receiving, ines):
    def send_bytes(name, data, *, person=ines, **options):
        finish = {key: options.pop(key) for key in ("md5", "sha256") if key in options}
        session = upload_session.open(person.id, realm=options.pop("realm", "open"), name=name, via="api", **options)
        try:
            session.write(data)
            return session.finish(**finish)
        except BaseException:
            session.abort("test")
            raise

    return send_bytes
