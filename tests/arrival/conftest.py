"""A running recorder and pulse over a real database, and a way to send bytes through the door."""

import pytest

from portal import arrival, db
from portal.arrival import door


@pytest.fixture
def receiving(database):
    arrival.start("test")
    yield
    arrival.stop()
    db.end()


@pytest.fixture
def send(receiving, ines):
    def through_the_door(name, data, *, person=ines, **options):
        finish = {key: options.pop(key) for key in ("md5", "sha256") if key in options}
        reception = door.open(person.id, realm=options.pop("realm", "open"), name=name, via="api", **options)
        try:
            reception.write(data)
            return reception.finish(**finish)
        except BaseException:
            reception.abort("test")
            raise

    return through_the_door
