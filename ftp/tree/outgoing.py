"""Reports of a center as a branch of the tree: a folder on disk that the portal writes and clients read."""

from pathlib import Path

from ftp.tree.entries import Branch, Entry, Source, folder, open_bytes
from portal import errors

# Shown before the first report is made, so that programs may look into it from the first day on.
ALWAYS = ("Files",)


class Outgoing(Branch):
    """A folder on disk, read-only. Links are not followed and dotted names are not shown."""

    refusal = "Reports are made by the portal; nothing can be stored here."

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, path: str) -> Path | None:
        """The place on disk; None where any part of the way is a link or hidden."""
        here = self.root
        for segment in filter(None, path.split("/")):
            here = here / segment
            if segment.startswith(".") or "\0" in segment or here.is_symlink():
                return None
        return here

    def entry(self, path: str) -> Entry | None:
        here = self._path(path)
        if path in ("", *ALWAYS):
            return folder(path)
        if here is None or not here.exists():
            return None
        return self._entry(here)

    def entries(self, path: str) -> list[Entry]:
        here = self._path(path)
        if here is None or not here.is_dir():
            return [] if path else [folder(name) for name in ALWAYS]
        return [self._entry(one) for one in sorted(here.iterdir()) if self._path(f"{path}/{one.name}") is not None]

    def _entry(self, here: Path) -> Entry:
        facts = here.lstat()
        modified = facts.st_mtime_ns // 1_000_000
        if here.is_dir():
            return folder(here.name, modified=modified)
        return Entry(here.name, size=facts.st_size, modified=modified, unique=f"r{facts.st_ino:x}")

    def open(self, path: str) -> Source:
        here = self._path(path)
        if here is None or not here.is_file():
            raise errors.NotFound(f"There is no file {path}.")
        return Source(*open_bytes(here))
