"""The drop box: rename, copy, move, remove, folders, and how what nobody claims comes to its end."""

import errno
import os

import pytest

from portal import clock, db, errors, states, storage
from portal.domain.accounts import quotas
from portal.domain.datasets import datasets
from portal.domain.uploads import expiry, folders
from portal.domain.uploads.uploads import Place, find
from portal.ingest import copy_move, upload_session
from portal.models import File, Mail, Upload
from tests.state_guard import states_unguarded


def place(name):
    return Place("incoming", "open", name)


def test_rename_moves_a_folder_without_a_byte(send, ines):
    send("old/a.txt", b"a")
    send("old/deep/b.txt", b"b")
    token = find(ines.id, place("old/a.txt")).token

    with db.transaction():
        count = folders.rename(ines.account, place("old"), "new")

    assert count == 2
    assert find(ines.id, place("new/a.txt")).token == token
    assert find(ines.id, place("new/deep/b.txt")).state == states.RECEIVED


def test_rename_finds_the_file_that_waits(send, ines):
    send("mistake.txt", b"a")
    with db.transaction():
        dataset = datasets.create(actor=ines.account, title="T", files=[{"name": "right.txt"}])
        folders.rename(ines.account, place("mistake.txt"), "right.txt")

    assert db.session.query(File).filter_by(dataset_id=dataset.id).one().state == states.RECEIVED


def test_rename_never_overwrites(send, ines):
    send("a.txt", b"a")
    send("b.txt", b"b")

    with pytest.raises(errors.Conflict), db.transaction():
        folders.rename(ines.account, place("a.txt"), "b.txt")


def test_what_a_dataset_took_is_neither_renamed_nor_removed_under_its_old_name(send, ines):
    upload_id = send("a.txt", b"a").upload_id
    with db.transaction():
        dataset = datasets.create(actor=ines.account, title="T", files=[{"name": "a.txt"}])
    row = db.session.get_one(Upload, upload_id)

    for change in (
        lambda: folders.rename(ines.account, place("a.txt"), "b.txt"),
        lambda: folders.remove(ines.account, place("a.txt")),
        lambda: folders.drop(db.session.get_one(Upload, upload_id), actor=ines.account),
    ):
        with pytest.raises(errors.Conflict, match=r"a\.txt belongs to draft"), db.transaction():
            change()
    assert db.session.query(File).filter_by(dataset_id=dataset.id).one().upload_id == upload_id
    assert storage.area_path("open", ines.id, row.token).read_bytes() == b"a"


def test_name_that_a_dataset_took_is_free_at_once(send, ines):
    first = send("a.txt", b"a").upload_id
    with db.transaction():
        datasets.create(actor=ines.account, title="T", files=[{"name": "a.txt"}])
    second = send("a.txt", b"other").upload_id

    assert find(ines.id, place("a.txt")).id == second
    with db.transaction():
        folders.rename(ines.account, place("a.txt"), "b.txt")
    assert db.session.get_one(Upload, first).dataset_id is not None


def test_wildcards_in_names_mean_themselves(send, ines):
    send("a_b/x.txt", b"1")
    send("aXb/x.txt", b"2")

    with db.transaction():
        assert folders.remove(ines.account, place("a_b"), folder=True) == 1

    assert find(ines.id, place("aXb/x.txt")) is not None


def test_folders_stay_while_empty_and_go_only_then(send, ines):
    with db.transaction():
        folders.make_folder(ines.account, place("empty"))
    send("empty/a.txt", b"a")

    with pytest.raises(errors.Conflict), db.transaction():
        folders.remove_folder(ines.account, place("empty"))
    with db.transaction():
        folders.remove(ines.account, place("empty/a.txt"))
        folders.remove_folder(ines.account, place("empty"))


def expire_all() -> int:
    with db.transaction():
        return expiry.expire()


def warn_all() -> list[Mail]:
    with db.transaction():
        before = {mail.id for mail in db.session.query(Mail)}
        expiry.warn()
        return [mail for mail in db.session.query(Mail) if mail.id not in before]


def test_nothing_expires_unannounced(send, settings):
    old = send("old.txt", b"a").upload_id
    clock.shift(settings.received_days * clock.DAY + 1000)
    young = send("young.txt", b"b").upload_id

    assert expire_all() == 0
    (mail,) = warn_all()
    assert expire_all() == 0
    clock.shift(7 * clock.DAY + 1000)
    assert expire_all() == 1

    assert "old.txt" in mail.body and "young.txt" not in mail.body
    assert db.session.get(Upload, old).state == states.EXPIRED
    assert db.session.get(Upload, young).state == states.RECEIVED


def test_one_mail_tells_of_all_that_go_within_two_weeks(send, settings):
    for day in range(0, 20, 2):
        send(f"day{day:02d}.txt", b"a")
        clock.shift(2 * clock.DAY)
    clock.shift((settings.received_days - 20 - 7) * clock.DAY + 1000)

    (mail,) = warn_all()
    assert warn_all() == []
    assert mail.subject.startswith("4 uploads will be removed")
    assert [day for day in range(0, 20, 2) if f"day{day:02d}.txt" in mail.body] == [0, 2, 4, 6]
    assert all(warn_all() == [] for _ in range(7) if not clock.shift(clock.DAY) and _ < 6)


def test_claimed_uploads_neither_expire_nor_are_told_of(send, ines, settings):
    send("a.txt", b"a")
    with db.transaction():
        datasets.create(actor=ines.account, title="T", files=[{"name": "a.txt"}])
    clock.shift(2 * settings.received_days * clock.DAY)

    assert warn_all() == []
    assert expire_all() == 0
    assert expiry.end_of(db.session.query(Upload).one()) is not None


def test_bytes_sent_again_after_the_mail_are_told_of_again(send, ines, settings):
    upload_id = send("a.txt", b"a").upload_id
    clock.shift((settings.received_days - 1) * clock.DAY)
    assert len(warn_all()) == 1
    with db.transaction():
        db.session.get(Upload, upload_id).received_at = clock.now() + 1
    clock.shift((settings.received_days + 1) * clock.DAY)

    assert expire_all() == 0
    assert len(warn_all()) == 1


def test_copy_shares_its_bytes_and_counts_for_the_quota(send, ines, settings):
    send("run/a.txt", b"abc")
    send("run/deep/b.txt", b"de")

    assert copy_move.copy(ines.id, place("run"), place("again")) == 2
    first, second = find(ines.id, place("run/a.txt")), find(ines.id, place("again/a.txt"))
    assert (second.md5, second.sha256, second.state) == (first.md5, first.sha256, states.RECEIVED)
    assert folders.bytes_of(first).stat().st_ino == folders.bytes_of(second).stat().st_ino
    assert quotas.used(ines.account.center_id, "open") == 10
    with db.transaction():
        folders.remove(ines.account, place("run"), folder=True)
    assert folders.bytes_of(find(ines.id, place("again/a.txt"))).read_bytes() == b"abc"


def test_copy_beyond_the_quota_leaves_nothing(send, ines, settings):
    settings.account_quota_gib = 1
    upload_id = send("a.txt", b"abc").upload_id
    with db.transaction():
        db.session.get(Upload, upload_id).size = (1 << 30) - 10
    quotas.forget()

    with pytest.raises(errors.QuotaExceeded):
        copy_move.copy(ines.id, place("a.txt"), place("b.txt"))
    assert find(ines.id, place("b.txt")) is None
    assert len(list(settings.root("area", "open").glob("*/*"))) == 1


def test_copy_of_what_is_not_whole_or_taken_is_refused(send, ines):
    upload_id = send("a.txt", b"a").upload_id
    send("b.txt", b"b")
    with pytest.raises(errors.Conflict):
        copy_move.copy(ines.id, place("a.txt"), place("b.txt"))
    with pytest.raises(errors.BadName):
        copy_move.copy(ines.id, place("a.txt"), place("two words"))
    with pytest.raises(errors.BadName):
        copy_move.move(ines.id, place("a.txt"), place("OMIX000001/a.txt"))
    with pytest.raises(errors.NotFound):
        copy_move.copy(ines.id, place("nothing"), place("c.txt"))
    for state, error in ((states.INCOMPLETE, errors.NotReady), (states.CHECKING, errors.Frozen)):
        with states_unguarded():
            db.session.get(Upload, upload_id).state = state
        with pytest.raises(error):
            copy_move.copy(ines.id, place("a.txt"), place("c.txt"))


def test_copy_is_claimed_by_the_file_that_waits_for_its_name(send, ines):
    send("mistake.txt", b"a")
    with db.transaction():
        dataset = datasets.create(actor=ines.account, title="T", files=[{"name": "right.txt"}])
    copy_move.copy(ines.id, place("mistake.txt"), place("right.txt"))

    db.end()
    assert db.session.query(File).filter_by(dataset_id=dataset.id).one().state == states.RECEIVED


def test_copied_bytes_are_not_written_to(send, ines):
    send("a.txt", b"abc")
    copy_move.copy(ines.id, place("a.txt"), place("b.txt"))

    with pytest.raises(errors.Frozen):
        upload_session.open(ines.id, realm="open", name="a.txt", via="api", append=True)
    send("a.txt", b"other")
    assert folders.bytes_of(find(ines.id, place("b.txt"))).read_bytes() == b"abc"


@pytest.mark.parametrize("linkable", [True, False])
def test_move_to_the_other_realm_takes_the_bytes_along(send, ines, settings, monkeypatch, linkable):
    send("run/a.txt", b"abc")
    before = folders.bytes_of(find(ines.id, place("run/a.txt")))
    if not linkable:
        refuse_links_once(monkeypatch)

    assert copy_move.move(ines.id, place("run"), Place("incoming", "protected", "safe")) == 1
    row = find(ines.id, Place("incoming", "protected", "safe/a.txt"))
    assert folders.bytes_of(row).read_bytes() == b"abc" and "protected" in str(folders.bytes_of(row))
    assert not before.exists() and find(ines.id, place("run/a.txt")) is None


def refuse_links_once(monkeypatch):
    """The two roots are on different disks: the first link is refused, that of the copy to its name is not."""
    link, refused = os.link, []

    def across(*given, **more):
        if not refused:
            refused.append(given)
            raise OSError(errno.EXDEV, "other disk")
        return link(*given, **more)

    monkeypatch.setattr(os, "link", across)


def test_move_that_fails_leaves_all_where_it_was(send, ines, settings):
    send("a.txt", b"abc")
    send("b.txt", b"x", realm="protected")

    with pytest.raises(errors.Conflict):
        copy_move.move(ines.id, place("a.txt"), Place("incoming", "protected", "b.txt"))
    assert folders.bytes_of(find(ines.id, place("a.txt"))).read_bytes() == b"abc"
    assert len(list(settings.root("area", "protected").glob("*/*"))) == 1


def test_folder_does_not_move_into_itself(send, ines):
    send("run/a.txt", b"a")
    for change in (copy_move.move, copy_move.copy):
        with pytest.raises(errors.Invalid):
            change(ines.id, place("run"), place("run/deeper"))


def test_paths_are_those_of_the_ftp_tree():
    for path in ("/OMIX/run/a.gz", "/OMIX-protected/b", "/test/c"):
        assert folders.path_of(folders.named(path)) == path
    assert folders.named("incoming/a") == Place("incoming", "open", "a")
    with pytest.raises(errors.NotFound):
        folders.named("/outgoing/Files")
