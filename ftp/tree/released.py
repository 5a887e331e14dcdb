"""Released open datasets as branches of the tree: for everyone, read-only, with their files under plain names."""

from typing import Any

from sqlalchemy import Row

from ftp.tree.entries import Branch, Entry, Sheet, Source, folder, no_file, open_bytes
from portal import clock, config, db, errors, storage
from portal.domain.access_requests.download_log import Download
from portal.messages import say
from portal.queries.uploads import ftp_listing

SHEETS = ("md5sum.txt", "manifest-md5.txt")


class Shop(Branch):
    """All released open datasets, the newest first; with `plain` by their numbers alone."""

    refusal = say("ftp_released", "Released datasets cannot be changed. Sign in and send files into your own area.")

    def __init__(self, *, plain: bool = False) -> None:
        self.plain = plain

    def entry(self, path: str) -> Entry | None:
        return None if path else folder("")

    def entries(self, path: str) -> list[Entry]:
        cut = len(config.settings().prefix) if self.plain else 0
        return [folder(row.accession[cut:], modified=row.released_at or 0) for row in ftp_listing.open_datasets()]


class Released(Branch):
    """The files of one dataset. Whether it is open is asked at every command: a policy may change at any time."""

    refusal = Shop.refusal
    bound: int | None = None

    def __init__(self, accession: str) -> None:
        self.accession = accession
        self.dataset = self.find()

    def find(self) -> Row[Any] | None:
        """The dataset, if it is open to this person now."""
        return ftp_listing.open_dataset(self.accession)

    def entry(self, path: str) -> Entry | None:
        if self.dataset is None:
            return None
        if not path:
            return folder(self.accession, modified=self.dataset.released_at or 0)
        row = ftp_listing.file_at(self.dataset.id, path, self.bound)
        if row is not None:
            return self._entry(row)
        if path in SHEETS:
            return self._sheet(path)
        base = path.rsplit("/", 1)[-1]
        inside = ftp_listing.files_in(self.dataset.id, path, self.bound) or ftp_listing.file_folders_in(
            self.dataset.id, path, self.bound
        )
        return folder(base) if inside else None

    def entries(self, path: str) -> list[Entry]:
        if self.dataset is None:
            return []
        files = [self._entry(row) for row in ftp_listing.files_in(self.dataset.id, path, self.bound)]
        folders = [
            folder(name, modified=at)
            for name, at in ftp_listing.file_folders_in(self.dataset.id, path, self.bound).items()
        ]
        taken = {entry.name for entry in files}
        sheets = [] if path else [self._sheet(name) for name in SHEETS if name not in taken]
        return files + folders + sheets

    def _entry(self, row: Row[Any]) -> Entry:
        return Entry(
            row.base,
            size=row.size or 0,
            modified=row.archived_at or 0,
            unique=f"f{row.id}",
            md5=row.md5,
            sha256=row.sha256,
        )

    def _sheet(self, name: str) -> Entry:
        assert self.dataset is not None
        return Entry(
            name,
            size=len(self._digests()),
            modified=self.dataset.released_at or clock.now(),
            unique=f"s{self.dataset.id}{name}",
        )

    def _digests(self) -> bytes:
        """What `md5sum -c` reads in a folder into which the dataset was downloaded."""
        assert self.dataset is not None
        return "".join(f"{row.md5}  {row.name}\n" for row in ftp_listing.digests(self.dataset.id, self.bound)).encode()

    def open(self, path: str) -> Source:
        dataset = self.dataset
        row = ftp_listing.file_at(dataset.id, path, self.bound) if dataset else None
        if dataset is None or (row is None and path not in SHEETS):
            raise no_file(path)
        if row is None:
            text = self._digests()
            return Source(Sheet(text), len(text))
        if row.fixity == "bad":
            raise errors.Damaged(
                say("ftp_damaged", "{path} is damaged in the archive and is not served; its curators know.", path=path)
            )
        file, size = open_bytes(storage.archived_path(dataset.realm, dataset.accession, row.archive_path))
        return Source(file, size, self.download(row, size), self.still_open)

    def still_open(self) -> bool:
        with db.reading():
            return self.find() is not None

    def download(self, row: Row[Any], size: int) -> Download:
        """What fetching a file leaves behind: open data are counted, not written down."""
        assert self.dataset is not None
        return Download(dataset_id=self.dataset.id, name=row.name, via="ftp", length=size, file_id=row.id)
