"""Bytes that two sessions, the archive or a failing disk may lay hands on at once."""

import errno
import os
import threading

import pytest
from sqlalchemy import select

from portal import clock, db, errors, states, storage
from portal.ingest import upload_session
from portal.ingest.heartbeat import heartbeat
from portal.models import Upload
from tests.waiting import until


def path_of(token, person):
    return storage.area_path("open", person.id, token)


def begin(person, name, data, *, via="web"):
    """A session whose bytes have reached the disk."""
    session = upload_session.open(person.id, realm="open", name=name, via=via)
    session.write(data)
    session.rest()
    path = path_of(session.token, person)
    until(lambda: path.exists() and path.stat().st_size >= len(data))
    return session


def test_ghost_that_has_not_heard_of_its_heir_removes_nothing(receiving, ines):
    ghost = begin(ines, "g.bin", b"g" * 300_000)
    heartbeat.tick()
    clock.shift(16_000)
    heir = upload_session.open(ines.id, realm="open", name="g.bin", via="ftp", append=True)
    heir.write(b"heir")
    ghost.lost = False  # as in another process, whose heartbeat comes only in two seconds

    ghost.abort("the browser went away", keep=False)
    receipt = heir.finish()

    assert receipt.size == 300_004
    assert path_of(heir.token, ines).read_bytes() == b"g" * 300_000 + b"heir"


def test_finish_does_not_thank_for_bytes_that_were_removed_meanwhile(receiving, ines):
    session = begin(ines, "a.bin", b"a" * 300_000)
    path_of(session.token, ines).unlink()

    with pytest.raises(errors.StorageFault):
        session.finish()

    session.abort("storage")
    assert db.session.scalar(select(Upload).where(Upload.state == states.RECEIVED)) is None


@pytest.mark.parametrize("size", [1000, 300_000])
def test_bytes_of_a_failed_sync_are_not_kept_for_a_resume(receiving, ines, monkeypatch, size):
    session = upload_session.open(ines.id, realm="open", name="s.bin", via="ftp")
    session.write(b"s" * size)

    def fails(_handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(errors.StorageFault):
        session.finish()
    monkeypatch.undo()

    assert session.abort("storage") == 0
    with pytest.raises(errors.Invalid):
        upload_session.open(ines.id, realm="open", name="s.bin", via="ftp", offset=10)


def test_failed_sync_of_a_resume_leaves_what_was_there_before(receiving, ines, monkeypatch):
    first = upload_session.open(ines.id, realm="open", name="s.bin", via="ftp")
    first.write(b"first")
    first.abort("cut")
    second = upload_session.open(ines.id, realm="open", name="s.bin", via="ftp", append=True)
    second.write(b"second")

    def fails(_handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(errors.StorageFault):
        second.finish()
    monkeypatch.undo()

    assert second.abort("storage") == 5
    assert path_of(second.token, ines).read_bytes() == b"first"


def test_bytes_that_the_archive_names_too_are_never_written_into(send, ines, tmp_path):
    upload_id = send("a.bin", b"archived").upload_id
    path = path_of(db.session.get(Upload, upload_id).token, ines)
    storage.link_into(path, tmp_path / "archive" / "a.bin")

    for options in ({"append": True}, {"offset": 2}):
        with pytest.raises(errors.Frozen):
            upload_session.open(ines.id, realm="open", name="a.bin", via="ftp", **options)

    assert (tmp_path / "archive" / "a.bin").read_bytes() == b"archived"
    assert db.session.get(Upload, upload_id, populate_existing=True).state == states.RECEIVED
    with pytest.raises(PermissionError):
        storage.open_again(path)


def test_bytes_given_back_by_the_archive_can_grow_again(send, ines):
    upload_id = send("a.bin", b"back").upload_id
    path = path_of(db.session.get(Upload, upload_id).token, ines)
    path.chmod(0o444)

    send("a.bin", b"!", append=True)

    assert path.read_bytes() == b"back!"
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_that_was_taken_over_and_renamed_fails_alone(receiving, ines):
    ghost = begin(ines, "g.bin", b"g" * 300_000)
    heartbeat.tick()
    with db.transaction():
        row = db.session.scalar(select(Upload).where(Upload.token == ghost.token))
        row.fence, row.state, row.name, row.base = 2, states.RECEIVED, "other.bin", "other.bin"

    with pytest.raises(errors.Fenced):
        ghost.finish()
    assert ghost.abort("fenced") == 0


def test_no_thread_to_be_had_leaves_no_reception_behind(receiving, ines, monkeypatch):
    session = upload_session.open(ines.id, realm="open", name="t.bin", via="ftp")

    def fails(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fails)
        with pytest.raises(RuntimeError):
            session.write(b"t" * 300_000)
    session.abort("no thread")

    assert session not in heartbeat.sessions()
