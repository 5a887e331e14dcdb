"""Files that readers see whole or not at all: written under hidden names, synced, then renamed together."""

import os
from pathlib import Path
from typing import BinaryIO, Self

from portal import storage
from portal.faults import point

PART = ".part"


class AtomicFiles:
    """The files of one folder that one run of a report makes. Left by an exception it leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open_files: dict[str, tuple[Path, BinaryIO]] = {}
        self.sizes: dict[str, int] = {}

    def __enter__(self) -> Self:
        storage.make_folder(self.folder)
        return self

    def open(self, name: str) -> BinaryIO:
        """A file that is to bear this name."""
        path = self.folder / f".{name}.{storage.token()}{PART}"
        handle = os.fdopen(storage.open_new(path), "w+b")
        self.open_files[name] = path, handle
        return handle

    def leave_out(self, name: str) -> None:
        """This one is not wanted after all."""
        path, handle = self.open_files.pop(name)
        handle.close()
        storage.remove(path)

    def place(self) -> None:
        """Give every file its name, the old one of that name staying whole until then."""
        for name, (_path, handle) in self.open_files.items():
            handle.flush()
            os.fsync(handle.fileno())
            self.sizes[name] = handle.tell()
            handle.close()
            point("report.written")
        for name in list(self.open_files):
            self.open_files[name][0].replace(self.folder / name)
            del self.open_files[name]
            point("report.placed")
        storage.sync_dir(self.folder)

    def __exit__(self, *_failure: object) -> None:
        for name in list(self.open_files):
            self.leave_out(name)


def sweep(folder: Path) -> None:
    """Remove what a killed run left behind."""
    for path in folder.glob(f".*{PART}"):
        storage.remove(path)
