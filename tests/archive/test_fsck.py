"""Each disagreement between catalogue and disk is found, and named; looking changes nothing."""

import pytest
from sqlalchemy import update

from portal import clock, db, storage
from portal.maintenance import fsck
from portal.models import Counter, Upload
from tests import depositing as deposit
from tests.state_guard import states_unguarded

pytestmark = pytest.mark.usefixtures("receiving")


@pytest.fixture
def archived(once, run_jobs):
    def make():
        dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"})
        deposit.send("waiting.bin", b"in the area")
        run_jobs()
        clock.shift(clock.MINUTE)
        run_jobs()
        return dataset_id

    dataset_id = once(make)
    assert list(fsck.check(deep=True)) == []
    return dataset_id


def find(words, *, deep=False):
    found = list(fsck.check(deep=deep))
    assert any(words in line for line in found), found
    assert found == list(fsck.check(deep=deep))
    return found


def test_bytes_gone_from_the_area(archived):
    deposit.area_path("waiting.bin").unlink()
    find("(waiting.bin): its bytes are gone")


def test_other_length_in_the_area(archived):
    deposit.area_path("waiting.bin").write_bytes(b"short")
    find("5 bytes on disk, 11 recorded")


def test_other_bytes_in_the_area_are_found_deep(archived):
    deposit.area_path("waiting.bin").write_bytes(b"IN THE AREA")
    assert list(fsck.check()) == []
    find("(waiting.bin): its bytes changed", deep=True)


def test_left_over_bytes_in_the_area(archived):
    path = deposit.area_path("a.bin")
    path.write_bytes(b"one")
    find("left over, its upload is archived")


def test_missing_in_the_archive(archived):
    deposit.archived_path(archived, 1).unlink()
    find("OMIX000001-01 (a.bin): missing in the archive")


def test_other_length_in_the_archive(archived):
    path = deposit.archived_path(archived, 1)
    path.chmod(0o644)
    path.write_bytes(b"on")
    found = find("2 bytes in the archive, 3 recorded")
    assert any("writable" in line for line in found)


def test_flipped_bit_in_the_archive_is_found_deep(archived):
    path = deposit.archived_path(archived, 1)
    path.chmod(0o644)
    path.write_bytes(b"onf")
    path.chmod(0o444)
    assert list(fsck.check()) == []
    find("its bytes changed in the archive", deep=True)


def test_stranger_in_the_bag(archived):
    (deposit.bag_of(archived) / "data" / "stranger.txt").write_text("who")
    find("data/stranger.txt is not in the catalogue")


@pytest.mark.parametrize("name", ["manifest-md5.txt", "manifest-sha256.txt"])
def test_forged_manifest(archived, name):
    path = deposit.bag_of(archived) / name
    path.write_text(path.read_text().replace("a.bin", "z.bin"))
    find(f"{name} and the catalogue differ")


def test_changed_tag_file(archived):
    (deposit.bag_of(archived) / "metadata.json").write_text("{}")
    find("metadata.json is not what tagmanifest-sha256.txt says")


def test_link_in_place_of_a_file(archived, tmp_path):
    path = deposit.archived_path(archived, 1)
    other = tmp_path / "elsewhere"
    other.write_bytes(b"one")
    path.unlink()
    path.symlink_to(other)
    find("missing in the archive")
    assert storage.facts(path) is None


def test_states_that_disagree(archived):
    with states_unguarded():
        db.session.execute(update(Upload).where(Upload.name == "a.bin").values(state="obsolete"))
    find("is archived, its upload is obsolete")


def test_accession_ahead_of_the_counter(archived):
    with db.transaction():
        db.session.execute(update(Counter).where(Counter.name == "OMIX").values(next=1))
    find("accession OMIX000001 is behind the counter")


def test_row_that_points_at_nothing(archived):
    with db.engine().connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("UPDATE upload SET replaced_by = 999 WHERE name = 'a.bin'")
        raw.execute("PRAGMA foreign_keys=ON")
    find("points at nothing")
