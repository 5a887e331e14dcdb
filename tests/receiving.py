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
        reception = upload_session.open(person.id, realm=options.pop("realm", "open"), name=name, via="api", **options)
        try:
            reception.write(data)
            return reception.finish(**finish)
        except BaseException:
            reception.abort("test")
            raise

    return send_bytes
