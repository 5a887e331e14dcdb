"""Folders whose names differ in their case alone are two folders."""

import pytest

from portal import db, errors
from portal.domain.accounts import accounts
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place, find


def place(name):
    return Place("incoming", "open", name)


def test_removing_a_folder_leaves_the_one_in_other_case(send, ines):
    send("run/a.txt", b"small")
    send("RUN/a.txt", b"large")

    with db.transaction():
        assert folders.remove(ines.account, place("run"), folder=True) == 1

    assert find(ines.id, place("RUN/a.txt")) is not None


def test_renaming_a_folder_leaves_the_one_in_other_case(send, ines):
    send("run/a.txt", b"small")
    send("RUN/b.txt", b"large")

    with db.transaction():
        assert folders.rename(ines.account, place("run"), "new") == 1

    assert find(ines.id, place("RUN/b.txt")) is not None


def test_folders_are_told_apart_from_names_that_begin_alike(send, ines):
    send("run/a.txt", b"1")
    send("run0/a.txt", b"2")
    send("run.txt", b"3")
    with pytest.raises(errors.Conflict), db.transaction():
        folders.remove_folder(ines.account, place("run"))

    with db.transaction():
        assert folders.remove(ines.account, place("run"), folder=True) == 1

    assert find(ines.id, place("run0/a.txt")) and find(ines.id, place("run.txt"))


def test_new_ftp_password_ends_sessions_opened_with_the_former(database, ines):
    before = ines.account.epoch
    with db.transaction():
        accounts.make_ftp_password(ines.account)
    db.end()
    made = ines.account.epoch
    with db.transaction():
        accounts.remove_ftp_password(ines.account, actor=ines.account)
    db.end()

    assert before < made < ines.account.epoch
