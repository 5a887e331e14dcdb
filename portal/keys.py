"""Small files beside the database that several processes want at once: keys, made once; numbers that only rise."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from portal import storage


def write_once(path: Path, content: bytes) -> None:
    """Write a small file that is never changed, such as a key; where another process was first, its file stands."""
    draft = path.with_name(f".{path.name}.{storage.token()}")
    try:
        storage.write_whole(draft, content)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    storage.sync_dir(path.parent)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one thread of one process is in here at a time; a killed one leaves no lock behind."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
