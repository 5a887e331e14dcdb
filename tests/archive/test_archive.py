"""From the area into the archive: each byte once, each row once, whatever happens meanwhile."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal import clock, db, states, storage
from portal.domain.archive import archiving
from portal.domain.datasets import releases
from portal.domain.files import diagnosis, files
from portal.jobs.handlers.archive import archive
from portal.maintenance import fsck, reconcile
from portal.models import Dataset, Event, Job
from tests import depositing as deposit

pytestmark = pytest.mark.usefixtures("receiving")


def bag(run_jobs):
    """Run everything, with what was put off for a moment."""
    run_jobs()
    clock.shift(60_000)
    run_jobs()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def findings():
    return list(fsck.check(deep=True))


def test_submitted_files_are_archived_once_and_leave_the_area(run_jobs):
    contents = {f"run{n % 2}/part{n}.bin": os.urandom(100 + n) for n in range(7)}
    dataset_id = deposit.submit(contents)
    sources = [deposit.area_path(name) for name in contents]

    run_jobs()

    found = deposit.files_of(dataset_id)
    assert {file.state for file in found} == {"archived"}
    assert [file.md5 for file in found] == [deposit.md5(data) for data in contents.values()]
    assert [deposit.archived_path(dataset_id, file.n).read_bytes() for file in found] == list(contents.values())
    assert {mode(deposit.archived_path(dataset_id, file.n)) for file in found} == {0o444}
    assert not any(path.exists() for path in sources)
    assert {deposit.upload_of(name).state for name in contents} == {"archived"}
    told = select(func.count()).where(Event.action == "archive", Event.dataset_id == dataset_id)
    assert db.session.scalar(told) == len(contents)


def test_the_bytes_are_linked_not_read_again(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"a" * 1000})
    inode = deposit.area_path("a.bin").stat().st_ino

    run_jobs()

    assert deposit.archived_path(dataset_id).stat().st_ino == inode


def test_bag_is_accepted_by_bagit_and_md5sum(run_jobs):
    dataset_id = deposit.submit(
        {"a_b.bin": b"one", "deep/er/b.bin": b"two", "c=c,@+.bin": b"three"}, title="Ümläute & <tags>"
    )
    bag(run_jobs)

    folder = deposit.bag_of(dataset_id)
    assert deposit.is_valid_bag(folder)
    for algorithm in ("md5", "sha256"):
        for kind in ("manifest", "tagmanifest"):
            words = [f"{algorithm}sum", "--quiet", "--strict", "-c", f"{kind}-{algorithm}.txt"]
            subprocess.run(words, cwd=folder, check=True)
    assert not deposit.get(dataset_id).bag_dirty
    assert findings() == []


def test_flipped_bit_in_the_bag_is_seen_by_bagit(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"abcd"})
    bag(run_jobs)
    path = deposit.archived_path(dataset_id)
    path.chmod(0o644)
    path.write_bytes(b"abce")

    assert not deposit.is_valid_bag(deposit.bag_of(dataset_id))


def test_file_removed_after_archiving_leaves_with_the_next_bag(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"})
    bag(run_jobs)
    path = deposit.archived_path(dataset_id, 1)
    deposit.remove_file(dataset_id, 1)
    assert path.exists()

    bag(run_jobs)

    assert not path.exists()
    assert "a.bin" not in (deposit.bag_of(dataset_id) / "manifest-md5.txt").read_text()
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert findings() == []


def test_missing_bytes_are_told(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"})
    deposit.area_path("a.bin").unlink()

    run_jobs()

    first, second = deposit.files_of(dataset_id)
    assert (first.state, first.error) == ("error", "upload_file_not_found")
    assert first.comment == str(diagnosis.REMEDIES["upload_file_not_found"])
    assert second.state == "archived"


def test_changed_length_is_told_and_never_archived(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    with deposit.area_path("a.bin").open("ab") as writer:
        writer.write(b"more")

    run_jobs()

    (file,) = deposit.files_of(dataset_id)
    assert (file.state, file.error) == ("error", "size_changed_during_copy")
    assert not list((storage.bag_path("open", deposit.get(dataset_id).accession)).rglob("a.bin"))


def test_changed_bytes_of_the_same_length_are_told(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    deposit.area_path("a.bin").write_bytes(b"two")

    run_jobs()

    (file,) = deposit.files_of(dataset_id)
    assert (file.state, file.error) == ("error", "file_changed_during_copy")


def test_touched_bytes_are_read_again_and_archived(run_jobs):
    """After a restored backup the inode and time are others, the bytes are not."""
    dataset_id = deposit.submit({"a.bin": b"one"})
    os.utime(deposit.area_path("a.bin"), (1, 1))

    run_jobs()

    assert deposit.states_of(dataset_id) == ["archived"]


def test_wrong_digest_never_archives_and_mending_it_does(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"}, declared={"a.bin": deposit.md5(b"else")})
    run_jobs()
    assert deposit.states_of(dataset_id) == ["failed", "archived"]

    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        files.edit(files.by_number(dataset, 1), {"md5": deposit.md5(b"one")}, actor=deposit.INES.account)
    run_jobs()

    assert deposit.states_of(dataset_id) == ["archived", "archived"]


def test_declared_digest_changed_while_linking_puts_the_bytes_back(run_jobs, monkeypatch):
    dataset_id = deposit.submit({"a.bin": b"one"})
    linking = archive._link_all

    def meanwhile(*words):
        found = linking(*words)
        with db.transaction():
            dataset = db.session.get_one(Dataset, dataset_id)
            files.edit(files.by_number(dataset, 1), {"md5": deposit.md5(b"else")}, actor=deposit.INES.account)
        return found

    monkeypatch.setattr(archive, "_link_all", meanwhile)
    run_jobs()

    assert deposit.states_of(dataset_id) == ["failed"]
    assert deposit.upload_of("a.bin").state == "received"
    assert deposit.area_path("a.bin").read_bytes() == b"one"
    assert not list(storage.bag_path("open", deposit.get(dataset_id).accession).rglob("a.bin"))


def test_what_an_ended_job_left_for_other_bytes_is_cleared_away(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    with db.transaction():
        (item,) = archiving.take(db.session.get_one(Dataset, dataset_id))
    db.end()
    Path(item.target).parent.mkdir(parents=True)
    Path(item.target).write_bytes(b"left over of another upload")

    run_jobs()

    assert deposit.archived_path(dataset_id).read_bytes() == b"one"


def test_catalogued_bytes_are_never_replaced(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    with db.transaction():
        (item,) = archiving.take(db.session.get_one(Dataset, dataset_id))
    db.end()
    Path(item.target).parent.mkdir(parents=True)
    Path(item.target).write_bytes(b"of a newer catalogue")
    bag_folder = Path(item.target).parents[2]
    (bag_folder / "manifest-sha256.txt").write_text(f"{'0' * 64}  {item.archive_path}\n")

    run_jobs()

    assert Path(item.target).read_bytes() == b"of a newer catalogue"
    assert deposit.area_path("a.bin").read_bytes() == b"one"


def test_amended_dataset_archives_only_what_is_new(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    bag(run_jobs)
    deposit.approve(dataset_id)
    bag(run_jobs)
    deposit.send("b.bin", b"two")
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "b.bin"}], actor=deposit.INES.account)
    bag(run_jobs)

    assert deposit.states_of(dataset_id) == ["archived", "archived"]
    assert findings() == []


def test_many_files_take_few_transactions(run_jobs, monkeypatch):
    monkeypatch.setitem(archiving.take.__kwdefaults__, "limit", 40)
    dataset_id = deposit.submit({f"f{n}.txt": b"%d" % n for n in range(2 * 40 + 3)})

    run_jobs()

    assert set(deposit.states_of(dataset_id)) == {"archived"}
    done = db.session.scalar(select(Job).where(Job.kind == "archive", Job.dataset_id == dataset_id))
    assert (done.state, done.attempt) == ("done", 1)


def test_withdrawn_bytes_are_gone_everywhere(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    bag(run_jobs)
    deposit.approve(dataset_id)
    path = deposit.archived_path(dataset_id)
    with db.transaction():
        releases.withdraw(db.session.get_one(Dataset, dataset_id), actor=deposit.RUTH.account, note="A patient asked.")
    bag(run_jobs)

    assert not path.exists()
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert findings() == []


def test_copies_in_the_area_of_what_is_withdrawn_go_too(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    for name, data in (("copy.bin", b"one"), ("other.bin", b"two")):
        deposit.send(name, data)
    copy, other = deposit.area_path("copy.bin"), deposit.area_path("other.bin")
    bag(run_jobs)
    deposit.approve(dataset_id)
    with db.transaction():
        releases.withdraw(db.session.get_one(Dataset, dataset_id), actor=deposit.RUTH.account, note="A patient asked.")
    bag(run_jobs)

    assert (copy.exists(), other.exists()) == (False, True)
    assert deposit.upload_of("copy.bin").state == "obsolete"


def test_reconciling_twice_changes_nothing_more(run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"})
    deposit.send("c.bin", b"gone")
    deposit.area_path("c.bin").unlink()
    with db.transaction():
        archiving.take(db.session.get_one(Dataset, dataset_id))
    db.end()

    first = reconcile.run()
    again = reconcile.run()

    assert first["missing"] == 1
    assert set(again.values()) == {0}
    assert deposit.upload_of("c.bin").error == "upload_file_not_found"
    run_jobs()
    assert deposit.states_of(dataset_id) == [states.ARCHIVED] * 2
