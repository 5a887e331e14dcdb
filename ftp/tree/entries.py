"""What the FTP tree is made of: entries, the bytes behind them, and branches that answer for a part of the tree."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from portal import errors, storage
from portal.domain.access_requests.download_log import Download
from portal.messages import Message, say

READ, LOOK = "r", "el"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a listing. `modified` is in ms; `md5` and `sha256` are the recorded digests of a file."""

    name: str
    folder: bool = False
    size: int = 0
    modified: int = 0
    perm: str = READ
    unique: str = ""
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes to send. `still_open()` is asked again while they are sent; `download` is what they leave in the history
    and the counts."""

    file: BinaryIO
    size: int
    download: Download | None = None
    still_open: Callable[[], bool] | None = None


class Sheet(io.BytesIO):
    """A text made on the fly, sent like a file."""

    name = "sheet"


def folder(name: str, *, modified: int = 0, perm: str = LOOK) -> Entry:
    return Entry(name, folder=True, modified=modified, perm=perm, unique=f"d{name}")


def open_bytes(path: Path) -> tuple[BinaryIO, int]:
    """A regular file that is no link, and its length. Raises NotFound."""
    try:
        handle = storage.open_read(path)
    except OSError as error:
        raise errors.NotFound(say("ftp_bytes_gone", "These bytes are not here.")) from error
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return os.fdopen(handle, "rb", buffering=0), os.fstat(handle).st_size


def no_file(path: str) -> errors.NotFound:
    return errors.NotFound(say("ftp_no_file", "There is no file {path}.", path=path))


class Branch:
    """A read-only part of the tree. Paths are relative to it, without slashes at the ends; "" is the branch itself."""

    refusal = say("ftp_read_only", "Nothing can be stored here.")

    def entry(self, path: str) -> Entry | None:
        """What lies at a path, or None."""
        raise NotImplementedError

    def entries(self, path: str) -> list[Entry]:
        """What lies in a folder."""
        raise NotImplementedError

    def banner(self, path: str) -> list[str]:
        """What is said to who enters a folder, a line each."""
        return []

    def open(self, path: str) -> Source:
        """Bytes to read. Raises NotFound and other refusals."""
        raise no_file(path)


class Shelf(Branch):
    """A folder whose entries are fixed."""

    def __init__(self, *names: str, refusal: Message | None = None) -> None:
        self.names = names
        self.refusal = refusal or self.refusal

    def entry(self, path: str) -> Entry | None:
        return None if path else folder("")

    def entries(self, path: str) -> list[Entry]:
        return [folder(name) for name in self.names]
