"""The drop box: rename, remove, folders, expiry. No byte moves."""

import pytest

from portal import clock, db, errors, states, storage
from portal.domain import areas, datasets
from portal.domain.uploads import Place, find
from portal.models import File, Upload


def place(name):
    return Place("incoming", "open", name)


def test_rename_moves_a_folder_without_a_byte(send, ines):
    send("old/a.txt", b"a")
    send("old/deep/b.txt", b"b")
    token = find(ines.id, place("old/a.txt")).token

    with db.transaction():
        count = areas.rename(ines.account, place("old"), "new")

    assert count == 2
    assert find(ines.id, place("new/a.txt")).token == token
    assert find(ines.id, place("new/deep/b.txt")).state == states.RECEIVED


def test_rename_finds_the_file_that_waits(send, ines):
    send("mistake.txt", b"a")
    with db.transaction():
        dataset = datasets.create(actor=ines.account, title="T", files=[{"name": "right.txt"}])
        areas.rename(ines.account, place("mistake.txt"), "right.txt")

    assert db.session.query(File).filter_by(dataset_id=dataset.id).one().state == states.RECEIVED


def test_rename_never_overwrites(send, ines):
    send("a.txt", b"a")
    send("b.txt", b"b")

    with pytest.raises(errors.Conflict), db.transaction():
        areas.rename(ines.account, place("a.txt"), "b.txt")


def test_frozen_bytes_are_neither_renamed_nor_removed(send, ines):
    upload_id = send("a.txt", b"a").upload_id
    with db.transaction():
        db.session.get(Upload, upload_id).state = states.CHECKING

    for change in (lambda: areas.rename(ines.account, place("a.txt"), "b.txt"),
                   lambda: areas.remove(ines.account, place("a.txt"))):  # fmt: skip
        with pytest.raises(errors.Frozen), db.transaction():
            change()
    with pytest.raises(errors.Frozen):
        send("a.txt", b"other")


def test_remove_lets_its_file_wait_again(send, ines):
    send("a.txt", b"a")
    with db.transaction():
        dataset = datasets.create(actor=ines.account, title="T", files=[{"name": "a.txt"}])
    upload = find(ines.id, place("a.txt"))

    with db.transaction():
        areas.remove(ines.account, place("a.txt"))

    assert db.session.query(File).filter_by(dataset_id=dataset.id).one().state == states.WAITING
    assert not storage.area_path("open", ines.id, upload.token).exists()


def test_wildcards_in_names_mean_themselves(send, ines):
    send("a_b/x.txt", b"1")
    send("aXb/x.txt", b"2")

    with db.transaction():
        assert areas.remove(ines.account, place("a_b"), folder=True) == 1

    assert find(ines.id, place("aXb/x.txt")) is not None


def test_folders_stay_while_empty_and_go_only_then(send, ines):
    with db.transaction():
        areas.make_folder(ines.account, place("empty"))
    send("empty/a.txt", b"a")

    with pytest.raises(errors.Conflict), db.transaction():
        areas.remove_folder(ines.account, place("empty"))
    with db.transaction():
        areas.remove(ines.account, place("empty/a.txt"))
        areas.remove_folder(ines.account, place("empty"))


def test_expiry_spares_what_is_young(send, settings):
    send("old.txt", b"a")
    clock.shift(settings.received_days * clock.DAY + 1000)
    young = send("young.txt", b"b").upload_id

    with db.transaction():
        assert areas.expire() == 1

    assert db.session.get(Upload, young).state == states.RECEIVED
