"""The one verb behind FTP, browser and API."""

import hashlib
import os
import threading

import pytest
from sqlalchemy import select

from portal import clock, db, errors, storage
from portal.config import settings
from portal.domain.uploads.uploads import Place, find
from portal.ingest import upload_session
from portal.ingest.heartbeat import heartbeat
from portal.models import Event, Job, Upload


def only(name):
    return find(1, Place("incoming", "open", name))


def rows(name):
    return list(db.session.scalars(select(Upload).where(Upload.name == name).order_by(Upload.id)))


def path_of(upload):
    return storage.area_path(upload.realm, upload.account_id, upload.token)


@pytest.mark.parametrize("size", [0, 1, 65536, (256 << 10) - 1, 256 << 10, (2 << 20) + 1, 9 << 20])
def test_finish_records_the_digests_of_what_lies_on_disk(send, size):
    data = os.urandom(size)

    receipt = send("run1/reads.bin", data)

    upload = only("run1/reads.bin")
    assert (receipt.upload_id, receipt.size) == (upload.id, size)
    assert upload.md5 == hashlib.md5(data).hexdigest()
    assert upload.sha256 == hashlib.sha256(data).hexdigest()
    assert path_of(upload).read_bytes() == data
    assert storage.facts(path_of(upload)) == storage.Facts(upload.inode, upload.size, upload.mtime_ns)


def test_receive_writes_its_event_in_the_same_transaction(send):
    receipt = send("a.txt", b"a")

    events = list(db.session.scalars(select(Event).where(Event.upload_id == receipt.upload_id)))
    assert [event.action for event in events] == ["receive"]


def test_later_upload_of_a_name_takes_the_place_of_the_earlier(send):
    first = send("a.txt", b"old")
    old_path = path_of(only("a.txt"))

    second = send("a.txt", b"new")

    assert second.replaced == (first.upload_id,)
    assert [(row.state, row.replaced_by) for row in rows("a.txt")] == [
        ("obsolete", second.upload_id),
        ("received", None),
    ]
    assert not old_path.exists()


def test_identical_bytes_keep_the_earlier_upload(send):
    first = send("a.txt", b"same")

    again = send("a.txt", b"same")

    assert again.upload_id == first.upload_id
    assert len(rows("a.txt")) == 1
    assert len(list((settings().root("area", "open") / "1").iterdir())) == 1


def test_cut_resend_leaves_the_whole_upload_standing(send, ines):
    send("a.bin", b"x" * 1000)

    session = upload_session.open(ines.id, realm="open", name="a.bin", via="ftp")
    session.write(b"y" * 500)
    assert session.abort("connection reset") == 500

    assert [row.state for row in rows("a.bin")] == ["received", "incomplete"]
    assert path_of(rows("a.bin")[0]).read_bytes() == b"x" * 1000


def test_abort_without_a_byte_records_nothing(receiving, ines):
    session = upload_session.open(ines.id, realm="open", name="a.bin", via="ftp")

    session.abort("no data connection")

    assert rows("a.bin") == []
    assert list((settings().root("area", "open")).rglob("*.*")) == []


def test_resume_goes_on_at_the_offset_and_owes_a_second_read(send, ines):
    data = os.urandom(3 << 20)
    session = upload_session.open(ines.id, realm="open", name="r.bin", via="ftp")
    session.write(data[: 1 << 20])
    session.abort("killed")

    receipt = send("r.bin", data[1 << 20 :], offset=1 << 20)

    assert (receipt.size, receipt.md5) == (len(data), None)
    assert path_of(only("r.bin")).read_bytes() == data
    assert {job.kind for job in db.session.scalars(select(Job))} == {"digest", "survey"}


def test_append_goes_on_at_the_end(send, ines):
    session = upload_session.open(ines.id, realm="open", name="r.bin", via="ftp")
    session.write(b"first,")
    session.abort("killed")

    send("r.bin", b"second", append=True)

    assert path_of(only("r.bin")).read_bytes() == b"first,second"


def test_resume_behind_the_end_is_refused(send, ines):
    session = upload_session.open(ines.id, realm="open", name="r.bin", via="ftp")
    session.write(b"12345")
    session.abort("killed")

    with pytest.raises(errors.Invalid) as refusal:
        upload_session.open(ines.id, realm="open", name="r.bin", via="ftp", offset=6)

    assert refusal.value.ftp == 554
    assert (refusal.value.message.code, refusal.value.message.values["length"]) == ("offset_behind_end", 5)


def test_live_session_is_not_taken_over_a_silent_one_is(receiving, ines):
    ghost = upload_session.open(ines.id, realm="open", name="g.bin", via="ftp")
    ghost.write(b"g" * 300_000)
    heartbeat.tick()

    with pytest.raises(errors.GhostSession):
        upload_session.open(ines.id, realm="open", name="g.bin", via="ftp", append=True)
    clock.shift(16_000)
    heir = upload_session.open(ines.id, realm="open", name="g.bin", via="ftp", append=True)

    with pytest.raises(errors.Fenced):
        ghost.write(b"late")
    ghost.abort("lost")
    heir.write(b"h")
    assert heir.finish().size >= 1


def test_two_writers_of_one_name_never_share_bytes(receiving, ines):
    payloads = [bytes([65 + n]) * 700_000 for n in range(6)]

    def writer(payload):
        session = upload_session.open(ines.id, realm="open", name="w.bin", via="ftp")
        for start in range(0, len(payload), 50_000):
            session.write(payload[start : start + 50_000])
        session.finish()

    threads = [threading.Thread(target=writer, args=(payload,)) for payload in payloads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert path_of(only("w.bin")).read_bytes() in payloads
    assert [row.state for row in rows("w.bin")].count("received") == 1


def test_fewer_bytes_than_announced_are_incomplete(receiving, ines):
    session = upload_session.open(ines.id, realm="open", name="s.bin", via="api", announced=100)
    session.write(b"short")

    with pytest.raises(errors.Incomplete):
        session.finish()
    session.abort("short")

    assert [(row.state, row.size) for row in rows("s.bin")] == [("incomplete", 5)]


def test_wrong_announced_digest_records_nothing(send):
    with pytest.raises(errors.DigestMismatch):
        send("d.bin", b"bytes", md5="0" * 32)

    assert rows("d.bin") == []


def test_quota_stops_an_upload_in_the_middle(send, ines):
    with db.transaction():
        ines.account.center.quota_open = 400_000

    with pytest.raises(errors.QuotaExceeded):
        send("q.bin", b"q" * 500_000)
    with pytest.raises(errors.QuotaExceeded):
        upload_session.open(ines.id, realm="open", name="q2.bin", via="api", announced=500_000)


def test_full_disk_refuses_before_the_first_byte(receiving, ines):
    settings().free_floor_mib = 1 << 40

    with pytest.raises(errors.DiskFull) as refusal:
        upload_session.open(ines.id, realm="open", name="f.bin", via="ftp")

    assert refusal.value.ftp == 452


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("a b.gz", "a_b.gz"),
        ("-rf", "rf"),
        ("=cmd", "cmd"),
        ("x/../y", "x/y"),
        ("Zürich.txt", "Zurich.txt"),
        (".hidden", "hidden"),
        ("данные.txt", "dannye.txt"),
        ("δεδομένα/Ångström øre.csv", "dedomena/Angstrom_ore.csv"),
        ("数据.tar.gz", "ShuJu.tar.gz"),
        ("－！.txt", "file.txt"),
    ],
)
def test_unsafe_name_is_refused_with_a_better_one(receiving, ines, name, better):
    with pytest.raises(errors.BadName) as refusal:
        upload_session.open(ines.id, realm="open", name=name, via="ftp")

    assert refusal.value.more["suggestion"] == better
    assert better in refusal.value.sentence


def test_group_survives_one_member_that_is_refused(receiving, ines):
    """Many sessions finish at once while one of them is fenced: the others are recorded."""
    sessions = [upload_session.open(ines.id, realm="open", name=f"g/{n}.txt", via="ftp") for n in range(20)]
    for session in sessions:
        session.write(b"first")
    heartbeat.tick()
    with db.transaction():
        doomed = db.session.scalar(select(Upload).where(Upload.name == "g/7.txt"))
        doomed.fence += 1
    results = {}

    def finish(number, session):
        try:
            session.write(b"x%d" % number)
            results[number] = session.finish().upload_id
        except errors.Fenced:
            results[number] = None
            session.abort("fenced")

    threads = [threading.Thread(target=finish, args=pair) for pair in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results.pop(7) is None
    assert all(results.values())
    assert len(set(results.values())) == 19


def test_closed_account_loses_its_reception(receiving, ines):
    session = upload_session.open(ines.id, realm="open", name="c.bin", via="ftp")
    session.write(b"c" * 300_000)
    with db.transaction():
        ines.account.epoch += 1

    heartbeat.tick()

    with pytest.raises(errors.Fenced):
        session.write(b"more")
    session.abort("closed")


def test_heartbeat_between_the_commit_and_its_answer_makes_no_row_of_bytes_that_were_here(ines, receiving, monkeypatch):
    """The same bytes again: no row is kept of them, and one made behind the commit would stand there as arriving."""
    for _ in range(2):
        session = upload_session.open(ines.id, realm="open", name="s.bin", via="api")
        session.write(b"same")
        last = session
        real = upload_session.group_commit.receive

        def late(arrival, real=real):
            recorded = real(arrival)
            heartbeat.tick()
            return recorded

        monkeypatch.setattr(upload_session.group_commit, "receive", late)
        session.finish()
        monkeypatch.setattr(upload_session.group_commit, "receive", real)
    db.end()
    assert last.done and [row.state for row in db.session.query(Upload)] == ["received"]
