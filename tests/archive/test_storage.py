"""Bytes on disk, without a database: what is opened, digested, written and made durable, and what is left behind."""

import errno
import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from portal import errors, storage

DATA = os.urandom(storage.BLOCK * 3 + 5)


@pytest.fixture
def path(tmp_path) -> Path:
    made = tmp_path / "bytes"
    made.write_bytes(DATA)
    return made


@pytest.fixture(autouse=True)
def closed(tmp_path):
    """Every descriptor of what lies here is closed again."""
    yield
    opened = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            opened.append(descriptor.readlink())
    assert [path for path in opened if path.is_relative_to(tmp_path)] == []


class Cancelled(Exception):
    pass


def cancel(_done: int) -> None:
    raise Cancelled


def link(path: Path) -> None:
    path.symlink_to(path.with_name("bytes"))


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))


@pytest.mark.parametrize("make", [link, os.mkfifo, Path.mkdir, socket_at])
@pytest.mark.parametrize("read", [storage.open_read, storage.digest, storage.forget_pages])
def test_what_is_no_regular_file_is_not_read(path, make: Callable[[Path], None], read):
    odd = path.with_name("odd")
    make(odd)
    with pytest.raises(errors.StorageFault):
        read(odd)
    assert storage.facts(odd) is None


def test_what_is_not_there_is_told_apart_from_what_is_odd(tmp_path):
    with pytest.raises(FileNotFoundError):
        storage.open_read(tmp_path / "none")
    assert storage.facts(tmp_path / "none") is None
    storage.remove(tmp_path / "none")


@pytest.mark.parametrize("size", [0, 1, storage.BLOCK, len(DATA)])
def test_digest_is_of_every_block_and_tells_how_far_it_is(path, size):
    path.write_bytes(DATA[:size])
    done: list[int] = []
    whole = hashlib.md5(DATA[:size]).hexdigest(), hashlib.sha256(DATA[:size]).hexdigest(), size
    assert storage.digest(path, progress=done.append) == whole
    assert done == [*range(storage.BLOCK, size, storage.BLOCK), *([size] if size else [])]


def test_digest_is_broken_off_by_its_progress(path):
    with pytest.raises(Cancelled):
        storage.digest(path, progress=cancel)
    storage.forget_pages(path)


@pytest.mark.parametrize(
    ("other", "same"), [(DATA, True), (DATA[:-1], False), (DATA[:-1] + bytes([DATA[-1] ^ 1]), False), (None, False)]
)
def test_same_bytes_are_of_one_length_and_digest(path, other, same):
    second = path.with_name("second")
    if other is not None:
        second.write_bytes(other)
    assert storage.same_bytes(path, second) is storage.same_bytes(second, path) is same
    assert storage.same_bytes(path, path)


@pytest.mark.parametrize("verb", [storage.link_into, storage.link_beside])
def test_second_name_is_of_the_same_bytes_and_no_link_is_followed(path, verb):
    target = path.parent / "bag" / "a.bin"
    verb(path, target)
    assert storage.facts(target) == storage.facts(path)
    assert storage.is_shared(path) and storage.is_shared(target)

    link(odd := path.with_name("odd"))
    storage.link_beside(odd, target.with_name("b.bin"))
    assert target.with_name("b.bin").is_symlink()


def test_second_name_given_again_is_no_fault(path):
    target = path.parent / "bag" / "a.bin"
    for _ in range(2):
        storage.link_into(path, target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("verb", [storage.link_into, storage.link_beside])
def test_disk_that_is_full_is_no_second_disk(path, monkeypatch, verb):
    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    target = path.parent / "bag" / "a.bin"
    with pytest.raises(OSError, match="No space left"):
        verb(path, target)
    assert list(target.parent.iterdir()) == []


def test_copy_that_is_broken_off_says_so_and_leaves_nothing(path, monkeypatch):
    def across(*_args, **_more):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", across)
    target = path.parent / "bag" / "a.bin"
    with pytest.raises(Cancelled):
        storage.link_into(path, target, progress=cancel)
    assert list(target.parent.iterdir()) == []


def test_small_file_is_written_whole_and_its_folder_is_made_durable(tmp_path, monkeypatch):
    synced: list[tuple[Path, bytes]] = []
    path = tmp_path / "key"
    monkeypatch.setattr(storage, "sync_dir", lambda folder: synced.append((folder, path.read_bytes())))
    for content in (b"old", b"new"):
        storage.write_whole(path, content, mode=0o640)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert synced == [(tmp_path, b"old"), (tmp_path, b"new")]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("count", "calls"), [(storage.FEW_FOLDERS, None), (storage.FEW_FOLDERS + 1, 0)])
def test_few_folders_are_made_durable_each_from_below_and_many_at_once(tmp_path, monkeypatch, count, calls):
    folders = {tmp_path / "data" / f"n{n}" for n in range(count)}
    for folder in folders:
        storage.make_folder(folder)
    synced: list[Path] = []
    monkeypatch.setattr(storage, "sync_dir", synced.append)
    storage.sync_folders(folders, tmp_path)
    if calls is None:
        assert set(synced[:-2]) == folders and synced[-2:] == [tmp_path / "data", tmp_path]
    else:
        assert len(synced) == calls


def test_bytes_given_back_are_writable_again(path):
    path.chmod(0o400)
    handle = storage.open_again(path)
    os.pwrite(handle, b"more", len(DATA))
    os.close(handle)
    assert path.read_bytes() == DATA + b"more"
