"""The free-space floor holds for all uploads at once: what was announced counts before it is written."""

import pytest

from portal import errors, storage
from portal.config import settings
from portal.ingest import upload_session

MIB = 1 << 20


@pytest.fixture
def ten_mib(receiving, monkeypatch) -> None:
    """A disk with room for 10 MiB above its floor, however much is written."""
    settings().free_floor_mib = 5
    monkeypatch.setattr(storage, "free_bytes", lambda realm: 15 * MIB)
    monkeypatch.setattr(storage, "_promised", {})


def announced(ines, size: int, name: str = "a.bin", realm: str = "open", **options) -> upload_session.UploadSession:
    return upload_session.open(ines.id, realm=realm, name=name, via="api", announced=size, **options)


def test_room_is_given_once(ten_mib, ines):
    first = announced(ines, 6 * MIB)
    with pytest.raises(errors.DiskFull):
        announced(ines, 6 * MIB, "b.bin")
    second = announced(ines, 4 * MIB, "c.bin")
    for session in (first, second):
        session.abort("the test ends")


def test_room_for_the_last_byte_and_no_further(ten_mib, ines):
    with pytest.raises(errors.DiskFull):
        announced(ines, 10 * MIB + 1)
    announced(ines, 10 * MIB).abort("the test ends")


def test_each_realm_has_its_own_room(ten_mib, ines):
    first = announced(ines, 6 * MIB)
    other = announced(ines, 6 * MIB, realm="protected")
    for session in (first, other):
        session.abort("the test ends")


@pytest.mark.parametrize("ends", ["finished", "aborted", "refused"])
def test_room_of_an_upload_that_ended_is_free_again(ten_mib, ines, ends):
    session = announced(ines, 3)
    assert storage._promised == {"open": 3}
    if ends == "finished":
        session.write(b"abc")
        session.finish()
    elif ends == "refused":
        with pytest.raises(errors.Incomplete):
            session.finish()
        session.abort("too short")
    else:
        session.abort("gone")
    session.abort("twice does not give back twice")
    assert storage._promised == {"open": 0}


def test_resumed_upload_needs_room_for_its_rest_alone(ten_mib, ines):
    first = announced(ines, 8 * MIB)
    first.write(b"x" * 6 * MIB)
    first.abort("cut")
    again = announced(ines, 8 * MIB, offset=6 * MIB)
    assert storage._promised == {"open": 2 * MIB}
    again.abort("cut again")
