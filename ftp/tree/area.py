"""An account's drop box as a branch of the tree: folders and names are rows, bytes lie under their tokens."""

from typing import Any

from sqlalchemy import Row

from ftp.tree.entries import Branch, Entry, Source, folder, no_file, open_bytes
from portal import db, errors, states, storage
from portal.domain.files import area_paths
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place, sender
from portal.messages import say
from portal.models import Account
from portal.queries.uploads import ftp_listing

FILE_PERM, FOLDER_PERM, TAKEN_PERM = "adfrw", "cdeflmp", "rw"


class Area(Branch):
    """One realm and area of one account."""

    def __init__(self, account_id: int, realm: str, area: str) -> None:
        self.account_id, self.realm, self.area = account_id, realm, area

    def _where(self) -> tuple[int, str, str]:
        return self.account_id, self.area, self.realm

    @property
    def key(self) -> tuple[object, ...]:
        """What tells one place to write into from another."""
        return self.account_id, self.area, self.realm

    def place(self, path: str) -> Place:
        """Where an upload or folder of this path goes. Raises BadName."""
        is_free = area_paths.free_in(self.account_id, self.area, self.realm)
        return Place(self.area, self.realm, area_paths.clean(path, is_free=is_free))

    def entry(self, path: str) -> Entry | None:
        if not path:
            return folder("", perm=FOLDER_PERM)
        row = ftp_listing.upload_at(self.account_id, Place(self.area, self.realm, path))
        if row is not None:
            return self._entry(row)
        if ftp_listing.is_folder(*self._where(), path):
            return folder(path.rsplit("/", 1)[-1], perm=FOLDER_PERM)
        return None

    def entries(self, path: str) -> list[Entry]:
        files = [self._entry(row) for row in ftp_listing.uploads_in(*self._where(), path)]
        folders = ftp_listing.folders_in(*self._where(), path).items()
        return files + [folder(name, modified=changed, perm=FOLDER_PERM) for name, changed in folders]

    def _entry(self, row: Row[Any]) -> Entry:
        """An upload; one that arrives or was cut shows how long it truly is, so that its sender resumes there."""
        size = row.size
        if row.state == states.RECEIVING:
            facts = storage.facts(storage.area_path(self.realm, self.account_id, row.token))
            size = facts.size if facts else 0
        perm = FILE_PERM if row.dataset_id is None else TAKEN_PERM
        return Entry(
            row.base,
            size=size,
            modified=row.received_at or row.heard_at,
            perm=perm,
            unique=f"u{row.id}",
            md5=row.md5,
            sha256=row.sha256,
        )

    def open(self, path: str) -> Source:
        row = ftp_listing.upload_at(self.account_id, Place(self.area, self.realm, path))
        if row is None:
            raise no_file(path)
        if row.state == states.RECEIVING:
            raise errors.Busy(say("ftp_still_arriving", "{path} is still arriving.", path=path))
        file, size = open_bytes(storage.area_path(self.realm, self.account_id, row.token))
        return Source(file, size)

    def upload_id(self, path: str) -> int:
        """The number of one upload. Raises NotFound."""
        row = ftp_listing.upload_at(self.account_id, Place(self.area, self.realm, path))
        if row is None:
            raise no_file(path)
        return int(row.id)

    # Each of these is one change in a transaction of its own.

    def make_folder(self, path: str) -> None:
        place = self.place(path)
        with db.transaction():
            folders.make_folder(self._account(), place)

    def remove_folder(self, path: str) -> None:
        with db.transaction():
            folders.remove_folder(self._account(), Place(self.area, self.realm, path))

    def remove(self, path: str) -> None:
        with db.transaction():
            folders.remove(self._account(), Place(self.area, self.realm, path))

    def rename(self, old: str, new: str) -> None:
        place = self.place(new)
        with db.transaction():
            folders.move(self._account(), Place(self.area, self.realm, old), place, replacing=True)

    def _account(self) -> Account:
        return sender(self.account_id)
