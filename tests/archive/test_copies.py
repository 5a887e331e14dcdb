"""Area and archive on two disks: what is archived is a copy, and a copy counts only when a second reading agrees."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from portal import clock, errors, storage
from tests import depositing as deposit

LINK = os.link


def across(source, target, **more):
    """Two disks: only a draft beside its target may be linked."""
    if Path(source).parent != Path(target).parent:
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    LINK(source, target, **more)


def flipped(reader, writer, _length=0):
    """A copy in which one bit differs."""
    data = bytearray(reader.read())
    data[0] ^= 1
    writer.write(data)


def cut(reader, writer, _length=0):
    """A copy that lacks its end."""
    writer.write(reader.read()[:-1])


@pytest.fixture
def two_disks(monkeypatch):
    monkeypatch.setattr(os, "link", across)


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "area" / "token"
    path.parent.mkdir()
    path.write_bytes(b"donor " * 500)
    return path


@pytest.mark.parametrize("damage", [flipped, cut])
@pytest.mark.parametrize("verb", [storage.link_into, storage.link_beside])
def test_damaged_copy_is_no_copy(two_disks, source, tmp_path, monkeypatch, verb, damage):
    monkeypatch.setattr(shutil, "copyfileobj", damage)
    target = tmp_path / "bag" / "data" / "a.bin"
    with pytest.raises(errors.StorageFault):
        verb(source, target)
    assert list(target.parent.iterdir()) == []
    assert source.read_bytes() == b"donor " * 500


@pytest.mark.parametrize("verb", [storage.link_into, storage.link_beside])
def test_copy_over_disks_is_of_its_own_and_leaves_no_draft(two_disks, source, tmp_path, verb):
    target = tmp_path / "bag" / "data" / "a.bin"
    verb(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_ino != source.stat().st_ino
    assert [path.name for path in target.parent.iterdir()] == ["a.bin"]


def test_archive_is_written_over_by_nothing(two_disks, source, tmp_path):
    target = tmp_path / "bag" / "a.bin"
    target.parent.mkdir()
    target.write_bytes(b"other bytes of the archive")
    with pytest.raises(FileExistsError):
        storage.link_into(source, target)
    assert target.read_bytes() == b"other bytes of the archive"


def test_archive_on_one_disk_is_written_over_by_nothing(source, tmp_path):
    target = tmp_path / "bag" / "a.bin"
    target.parent.mkdir()
    target.write_bytes(b"D" * source.stat().st_size)
    with pytest.raises(errors.StorageFault):
        storage.link_into(source, target)
    assert target.read_bytes() == b"D" * source.stat().st_size


def test_archived_bytes_are_frozen(source, tmp_path):
    target = tmp_path / "bag" / "a.bin"
    storage.link_into(source, target)
    assert target.stat().st_mode & 0o777 == 0o444
    with pytest.raises(PermissionError):
        storage.open_again(source)


def test_file_whose_copy_is_damaged_is_not_archived_and_keeps_its_bytes(receiving, run_jobs, two_disks, monkeypatch):
    honest = shutil.copyfileobj
    monkeypatch.setattr(shutil, "copyfileobj", flipped)
    dataset_id = deposit.submit({"a.bin": b"donor"})
    run_jobs()
    assert deposit.states_of(dataset_id) == ["checking"]
    assert deposit.area_path("a.bin").read_bytes() == b"donor"
    assert list(deposit.bag_of(dataset_id).rglob("*.bin")) == []

    monkeypatch.setattr(shutil, "copyfileobj", honest)
    clock.shift(clock.HOUR)
    run_jobs()
    assert deposit.states_of(dataset_id) == ["archived"]
    assert deposit.archived_path(dataset_id).read_bytes() == b"donor"
