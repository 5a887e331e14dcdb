"""Reports of a center as a branch of the tree: a folder on disk that the portal writes and clients read."""

from pathlib import Path

from ftp.tree.entries import Branch, Entry, Source, folder, no_file, open_bytes
from portal.messages import say

# Shown before the first report is made, so that programs may look into it from the first day on.
ALWAYS = ("Files",)


class Outgoing(Branch):
    """A folder on disk, read-only. Links are not followed and dotted names are not shown."""

    refusal = say("ftp_outgoing", "Reports are made by the portal; nothing can be stored here.")

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, path: str) -> Path | None:
        """The place on disk; None where any part of the way is a link or hidden."""
        place = self.root
        for segment in filter(None, path.split("/")):
            place = place / segment
            if segment.startswith(".") or "\0" in segment or place.is_symlink():
                return None
        return place

    def entry(self, path: str) -> Entry | None:
        place = self._path(path)
        if path in ("", *ALWAYS):
            return folder(path)
        if place is None or not place.exists():
            return None
        return self._entry(place)

    def entries(self, path: str) -> list[Entry]:
        place = self._path(path)
        if place is None or not place.is_dir():
            return [] if path else [folder(name) for name in ALWAYS]
        return [
            self._entry(child) for child in sorted(place.iterdir()) if self._path(f"{path}/{child.name}") is not None
        ]

    def _entry(self, place: Path) -> Entry:
        facts = place.lstat()
        modified = facts.st_mtime_ns // 1_000_000
        if place.is_dir():
            return folder(place.name, modified=modified)
        return Entry(place.name, size=facts.st_size, modified=modified, unique=f"r{facts.st_ino:x}")

    def open(self, path: str) -> Source:
        place = self._path(path)
        if place is None or not place.is_file():
            raise no_file(path)
        return Source(*open_bytes(place))
