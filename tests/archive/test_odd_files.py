"""What somebody with a shell puts into the area in place of a file: never waited on, never followed, never archived."""

import os
import socket
import threading

import pytest

from portal import errors, storage
from tests import depositing as deposit

pytestmark = pytest.mark.usefixtures("receiving")


def pipe(path):
    os.mkfifo(path)


def device(path):
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero never ends
    except PermissionError:
        pytest.skip("only the superuser makes devices")


def plug(path):
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/{path.name}")  # the whole path may be longer than a socket's may
    os.close(here)


def link(path):
    outside = path.with_name("outside")
    outside.write_bytes(b"one")
    path.symlink_to(outside)


def folder(path):
    path.mkdir()


kinds = pytest.mark.parametrize("put", [pipe, device, plug, link, folder])


@kinds
def test_it_is_refused_and_not_waited_on(settings, put):
    path = settings.instance / "odd"
    put(path)
    told = []

    def read() -> None:
        for verb in (storage.digest, storage.forget_pages, storage.open_again):
            with pytest.raises(errors.StorageFault if verb != storage.open_again else (errors.StorageFault, OSError)):
                verb(path)
            told.append(verb)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)
    assert len(told) == 3, "it waits, or was read"
    assert storage.facts(path) is None


@kinds
def test_it_is_never_archived(run_jobs, put):
    dataset_id = deposit.submit({"a.bin": b"one", "b.bin": b"two"})
    path = deposit.area_path("a.bin")
    path.unlink()
    put(path)

    run_jobs()

    first, second = deposit.files_of(dataset_id)
    assert (first.state, first.error) == ("error", "upload_file_not_found")
    assert second.state == "archived"
    names = [name for _path, _folders, files in os.walk(deposit.bag_of(dataset_id) / "data") for name in files]
    assert names == ["b.bin"]
