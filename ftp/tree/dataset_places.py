"""Datasets that are open to changes as branches of the tree, for who may send into them."""

from typing import Any

from sqlalchemy import Row

from ftp.tree.area import FILE_PERM, FOLDER_PERM, TAKEN_PERM
from ftp.tree.entries import Branch, Entry, Source, folder, no_file, open_bytes
from portal import db, errors, storage
from portal.domain.uploads import dataset_files, dataset_place, folders
from portal.domain.uploads.uploads import Place, sender
from portal.messages import say
from portal.models import Dataset
from portal.queries.uploads import dataset_places
from portal.queries.uploads.dataset_places import Item

MOST_TOLD = 50


class DatasetPlaces(Branch):
    """The datasets into which one account may send, under their accessions, or their ids while they have none."""

    refusal = say("ftp_datasets", "Send into the folder of a dataset, /datasets/<id or accession>/.")

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id

    def entry(self, path: str) -> Entry | None:
        return None if path else folder("datasets")

    def entries(self, path: str) -> list[Entry]:
        rows = dataset_places.places_of(self.account_id)
        return [folder(row.accession or str(row.id), modified=row.updated_at, perm=FOLDER_PERM) for row in rows]

    def banner(self, path: str) -> list[str]:
        """What each folder is, for who looks around."""
        rows = dataset_places.places_of(self.account_id)
        told = [f"{row.accession or row.id}  {row.title or 'Untitled'}" for row in rows[:MOST_TOLD]]
        more = len(rows) - len(told)
        return [*told, f"and {more:,} more"] if more > 0 else told


class DatasetFolder(Branch):
    """The place of one dataset, asked for at every command: one that is released, or whose editor is shut out, is gone
    from the tree."""

    refusal = DatasetPlaces.refusal

    def __init__(self, ref: str, account_id: int) -> None:
        self.ref, self.account_id = ref, account_id
        self.dataset: Row[Any] | None = dataset_places.place_of(account_id, ref)

    @property
    def key(self) -> tuple[object, ...]:
        return ("dataset", self.dataset.id if self.dataset else None)

    def place(self, path: str) -> Place:
        """Where an upload of this path goes. Raises BadName, Conflict."""
        return dataset_place.admit(self.account_id, self._here().id, path, with_companions=True)

    def banner(self, path: str) -> list[str]:
        if path or self.dataset is None:
            return []
        return [f"{self.dataset.title or 'Untitled'} ({self.dataset.access}). What you send here belongs to it."]

    def entry(self, path: str) -> Entry | None:
        if self.dataset is None:
            return None
        if not path:
            return folder(self.ref, modified=self.dataset.updated_at, perm=FOLDER_PERM)
        item = dataset_places.item_at(self.dataset.id, path)
        if item is not None:
            return self._entry(item)
        inside = dataset_places.made_folders(self.dataset.id, path) or dataset_places.items(
            self.dataset.id, dataset_places.below(path)
        )
        return folder(path.rsplit("/", 1)[-1], perm=FOLDER_PERM) if inside else None

    def entries(self, path: str) -> list[Entry]:
        if self.dataset is None:
            return []
        start = len(path) + 1 if path else 0
        found: dict[str, Entry] = {}
        for row in dataset_places.made_folders(self.dataset.id, path):
            if segment := row.path[start:].split("/", 1)[0]:
                found[segment] = folder(segment, modified=row.made_at, perm=FOLDER_PERM)
        for item in dataset_places.items(self.dataset.id, dataset_places.below(path)):
            segment, deeper, _rest = item.name[start:].partition("/")
            shown = folder(segment, modified=item.modified, perm=FOLDER_PERM) if deeper else self._entry(item)
            found.setdefault(segment, shown)
        return list(found.values())

    def _entry(self, item: Item) -> Entry:
        size = item.size
        if item.arriving:
            facts = storage.facts(storage.area_path(item.realm, item.account_id, item.token))
            size = facts.size if facts else 0
        return Entry(
            item.base,
            size=size,
            modified=item.modified,
            perm=TAKEN_PERM if item.held else FILE_PERM,
            unique=item.key,
            md5=item.md5,
            sha256=item.sha256,
        )

    def open(self, path: str) -> Source:
        dataset = self._here()
        item = dataset_places.item_at(dataset.id, path)
        if item is None:
            raise no_file(path)
        if item.arriving:
            raise errors.Busy(say("ftp_still_arriving", "{path} is still arriving.", path=path))
        if item.archive_path:
            file, size = open_bytes(storage.archived_path(dataset.realm, dataset.accession, item.archive_path))
        else:
            file, size = open_bytes(storage.area_path(item.realm, item.account_id, item.token))
        return Source(file, size)

    # Each of these is one change in a transaction of its own.

    def make_folder(self, path: str) -> None:
        with db.transaction():
            dataset_files.make_folder(self._open(), path)

    def remove_folder(self, path: str) -> None:
        with db.transaction():
            dataset_files.remove_folder(self._open(), path)

    def remove(self, path: str) -> None:
        with db.transaction():
            dataset_files.remove(self._open(), path, actor=sender(self.account_id))

    def rename(self, old: str, new: str) -> None:
        with db.transaction():
            dataset_files.rename(self._open(), old, new, actor=sender(self.account_id))

    def take_in(self, upload_id: int, path: str) -> None:
        with db.transaction():
            actor = sender(self.account_id)
            dataset_files.take_in(self._open(), folders.own(upload_id, actor=actor), path, actor=actor)

    def _here(self) -> Row[Any]:
        if self.dataset is None:
            raise errors.NotFound(
                say("ftp_no_dataset", "There is no dataset {ref} that you may send into.", ref=self.ref)
            )
        return self.dataset

    def _open(self) -> Dataset:
        return dataset_place.open_to(self._here().id, sender(self.account_id))
