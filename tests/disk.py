"""A disk that forgets: what would be lost, at each commit, if the power went at that moment.

Nothing counts but what was synced: bytes of a file as they stood at its last fsync or fdatasync, and names of a folder
as they stood at its last fsync. The real calls are made as well.
"""

import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from portal import db, storage

SYNCS = {"fsync": os.fsync, "fdatasync": os.fdatasync}
PREPARE = db._prepare_connection


@contextmanager
def unsynced() -> Iterator[None]:
    """Neither files nor the database wait for the disk in this process."""

    def prepare(connection: Any, record: Any) -> None:
        PREPARE(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        for name in SYNCS:
            patch.setattr(os, name, lambda _handle: None)
        patch.setattr(db, "_prepare_connection", prepare)
        yield


class Disk:
    """What was synced, seen at the calls of the system; `commits` has what each commit would have lost."""

    def __init__(self, *roots: Path) -> None:
        self.roots = roots
        self.files: dict[int, tuple[int, int]] = {}
        self.folders: dict[int, dict[str, int]] = {}
        self.commits: list[list[str]] = []
        self.told: list[str] = []
        self.pause = 0.0
        self.sync_all()

    def sync(self, handle: int) -> None:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            self.folders[status.st_ino] = self.names(handle)
        else:
            self.files[status.st_ino] = status.st_size, status.st_mtime_ns

    def sync_all(self) -> None:
        for root in self.roots:
            for path in [root, *root.rglob("*")]:
                handle = os.open(path, os.O_RDONLY)
                self.sync(handle)
                os.close(handle)

    @staticmethod
    def names(folder: int | Path) -> dict[str, int]:
        with os.scandir(folder) as entries:
            return {entry.name: entry.inode() for entry in entries}

    def lost(self) -> list[str]:
        """What would not be there, or not with these bytes. Drafts under dotted names are nobody's."""
        return sorted(found for root in self.roots for found in self._below(root))

    def _below(self, folder: Path) -> Iterator[str]:
        known = self.folders.get(folder.stat().st_ino, {})
        for name, inode in self.names(folder).items():
            path = folder / name
            if name.startswith("."):
                continue
            if known.get(name) != inode:
                yield f"name of {path}"
            if path.is_dir():
                yield from self._below(path)
            elif self.files.get(inode) != (path.stat().st_size, path.stat().st_mtime_ns):
                yield f"bytes of {path}"

    def on_commit(self, _connection: object) -> None:
        if threading.current_thread().name.endswith("-heartbeat"):
            return  # it tells how far others are, whatever they are at
        self.commits.append(self.lost())
        self.told.append("commit")
        time.sleep(self.pause)  # whoever answers too early answers now

    def after_commit(self, _session: object) -> None:
        self.told.append("committed")


class Libc:
    """syncfs() of the C library, seen as well."""

    def __init__(self, disk: Disk, real) -> None:
        self.disk, self.real = disk, real

    def syncfs(self, handle: int) -> int:
        self.disk.sync_all()
        return self.real.syncfs(handle)


@pytest.fixture
def disk(settings, app, monkeypatch) -> Iterator[Disk]:
    seen = Disk(settings.instance / "area", settings.instance / "archive", settings.keys)
    for name, real in SYNCS.items():
        monkeypatch.setattr(os, name, watched(real, seen))
    monkeypatch.setattr(storage, "_libc", Libc(seen, storage._libc))
    event.listen(db.engine(), "commit", seen.on_commit)
    event.listen(db.session, "after_commit", seen.after_commit)
    yield seen
    event.remove(db.engine(), "commit", seen.on_commit)
    event.remove(db.session, "after_commit", seen.after_commit)


def watched(real, seen: Disk):
    def call(handle: int) -> None:
        real(handle)
        seen.sync(handle)

    return call
