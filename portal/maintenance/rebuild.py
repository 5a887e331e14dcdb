"""`omix rebuild`: the catalogue made again from the bags alone. Nothing on disk is changed; each dataset is one
transaction, so that a killed rebuild goes on where it was."""

import argparse
import sys
from pathlib import Path

from portal import db, migrations
from portal.config import settings
from portal.domain.archive import bag_reader, restore
from portal.domain.archive.restore import People
from portal.domain.shared import history
from portal.faults import point
from portal.maintenance import database_check, startup


def run(args: argparse.Namespace) -> int:
    settings().prepare()
    held = startup.lock(settings())
    try:
        return Rebuild(deep=args.deep).run()
    finally:
        held.close()


class Rebuild:
    """One pass over the archive: first who and what there is, then a dataset at a time."""

    def __init__(self, *, deep: bool) -> None:
        self.deep = deep
        self.faults = self.skipped = self.restored = self.there = self.files = self.bad = 0
        self.people = People()
        self.replaced: dict[str, str] = {}

    def run(self) -> int:
        database_check.refuse_remains()
        startup.connect()
        migrations.upgrade(db.engine())
        bags = self.scan()
        with db.transaction():
            restore.begin(self.people, above=highest_area())
        for realm, folder in bags:
            self.take(realm, folder)
        with db.transaction():
            restore.close(self.replaced)
            history.record(
                "site.rebuild",
                actor=None,
                after={
                    "datasets": self.restored + self.there,
                    "files": self.files,
                    "skipped": self.skipped,
                    "deep": self.deep,
                },
            )
        self.say()
        return 1 if self.faults else 0

    def scan(self) -> list[tuple[str, Path]]:
        """The bags that can be read, each accession once."""
        bags: dict[str, tuple[tuple[bool, int], str, Path]] = {}
        for realm, folder in bag_reader.folders():
            try:
                catalogue = bag_reader.catalogue(folder)
            except bag_reader.BadBag as error:
                self.skip(realm, folder, error.sentence)
                continue
            # Of two copies, left by a move that was cut, the one counts that says so itself.
            rank = (catalogue.get("realm") == realm, catalogue.get("generation") or 0)
            other = bags.get(folder.name)
            if other is not None:
                less = min((rank, realm, folder), other)
                self.skip(less[1], less[2], "a second copy, which does not count")
            if other is None or rank > other[0]:
                bags[folder.name] = (rank, realm, folder)
            self.people.hear(catalogue)
            if catalogue.get("replaces"):
                self.replaced[folder.name] = catalogue["replaces"]
        return [bags[name][1:] for name in sorted(bags)]

    def take(self, realm: str, folder: Path) -> None:
        if restore.is_there(folder.name):
            self.there += 1
            return
        db.end()
        content, faults = bag_reader.read(realm, folder, deep=self.deep)
        for fault in faults:
            self.tell(str(fault))
        with db.transaction():
            restore.add(content, self.people)
            point("rebuild.added")
        point("rebuild.recorded")
        db.end()
        self.restored += 1
        self.files += len(content.lying)
        self.bad += sum(file.fixity == "bad" for file in content.lying)

    def skip(self, realm: str, folder: Path, why: str) -> None:
        self.skipped += 1
        self.tell(f"archive/{realm}/{folder.name}: skipped, {why}")

    def tell(self, sentence: str) -> None:
        self.faults += 1
        print(sentence, file=sys.stderr, flush=True)

    def say(self) -> None:
        before = f" ({self.there} were there from an earlier try)" if self.there else ""
        print(
            f"{self.restored + self.there} datasets{before}, {self.files} archived files, {len(self.people.accounts)} "
            f"people, {len(self.people.centers)} centers made again; {self.skipped} folders skipped, "
            f"{self.bad} files damaged or missing."
        )
        if not self.deep:
            print("Sizes were compared; the worker reads the bytes next, or `omix fixity` does at once.")
        print(
            "Nobody has a password: `omix up` makes a first curator, people use Forgot password. What bags do not "
            "hold, and what to do about bytes in the areas, stands in docs/backup.md."
        )


def highest_area() -> int:
    """The highest number of an account that has a folder in an area."""
    numbers = [0]
    for realm in bag_reader.REALMS:
        root = settings().root("area", realm)
        numbers += [int(path.name) for path in (root.iterdir() if root.is_dir() else ()) if path.name.isdecimal()]
    return max(numbers)
