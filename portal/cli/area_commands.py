"""`omix area`: what lies in somebody's area, listed, copied, moved, removed, and brought in from disk."""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from portal import db, errors, ingest
from portal.cli.people import account_of
from portal.config import settings
from portal.domain.files import area_paths
from portal.domain.shared import companions, path_names
from portal.domain.uploads import dataset_place, folders
from portal.domain.uploads.uploads import Place
from portal.ingest import copy_move, upload_session
from portal.maintenance.startup import open_instance
from portal.models import Account
from portal.queries.uploads import area, uploads

READ_SIZE = 1 << 20


def run(args: argparse.Namespace) -> int:
    """One of the commands, by its word."""
    open_instance()
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "ls": show,
        "cp": partial(copy_or_move, copy_move.copy),
        "mv": partial(copy_or_move, copy_move.move),
        "rm": remove,
        "import": import_files,
    }
    return verbs[args.word](args)


def place_of(path: str) -> Place:
    return folders.named(path) if path.strip("/") else Place("incoming", "open", "")


def show(args: argparse.Namespace) -> int:
    account, place = account_of(args.email), place_of(args.path)
    last, count = 0, 0
    for name in area.folders(account, place):
        print(f"{'folder':<10} {'':>15} {'':<16} {name}/")
        count += 1
    while rows := area.listing(account, place, after=last, limit=1000):
        for row in rows:
            print(line(row))
        last, count = rows[-1].upload.id, count + len(rows)
    if not count and place.name:
        rows_below = folders.at_or_below(account, place)
        for row in uploads.rows_of([upload.id for upload in rows_below if upload.name == place.name]):
            print(line(row))
    return 0


def line(row: uploads.Row) -> str:
    upload = row.upload
    at = datetime.fromtimestamp((upload.received_at or upload.heard_at) / 1000, settings().zone)
    claimed = f"  {row.dataset.accession or f'draft {row.dataset.id}'}" if row.dataset else ""
    return f"{upload.state:<10} {upload.size:>15} {at:%Y-%m-%d %H:%M} {upload.base}{claimed}"


def copy_or_move(verb: Callable[[int, Place, Place], int], args: argparse.Namespace) -> int:
    """Like cp and mv: into a folder that is there, under its own name."""
    account, old = account_of(args.email), folders.named(args.source)
    new = folders.named(args.target)
    if args.target.endswith("/") or not new.name or is_folder(account, new):
        new = Place(new.area, new.realm, f"{new.name}/{old.base}".strip("/"))
    account_id = account.id
    db.end()
    print(f"{verb(account_id, old, new):,} uploads: {folders.path_of(old)} to {folders.path_of(new)}")
    return 0


def is_folder(account: Account, place: Place) -> bool:
    try:
        return all(row.name != place.name for row in folders.at_or_below(account, place))
    except errors.NotFound:
        return False


def remove(args: argparse.Namespace) -> int:
    place = folders.named(args.path)
    with db.transaction():
        count = folders.remove(account_of(args.email), place, folder=args.folder)
    print(f"{count:,} uploads removed.")
    return 0


def import_files(args: argparse.Namespace) -> int:
    """Each file goes through the same door as any other: digested, durable, recorded, counted for the quota."""
    account = account_of(args.email)
    dataset = dataset_place.open_to(args.dataset, account) if args.dataset else None
    account_id, place = account.id, place_of(args.to) if dataset is None else dataset_place.of(dataset, "")
    db.end()
    ingest.start("import")
    try:
        failed, left_out = 0, 0
        for path, name in files_of(args.sources):
            if companions.is_companion(path.name):
                left_out += 1
            elif not import_file(account_id, place, path, name):
                failed += 1
    finally:
        ingest.stop()
    if left_out:
        print(f"Left out: {left_out} companion files of operating systems (._x, .DS_Store, Thumbs.db).")
    return 1 if failed else 0


def files_of(sources: list[Path]) -> Iterator[tuple[Path, Path]]:
    """(file, its name in the area): a folder comes with its own name and all below it. Links are not followed."""
    for source in sources:
        if source.is_dir() and not source.is_symlink():
            for path in sorted(source.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    yield path, path.relative_to(source.parent)
        else:
            yield source, Path(source.name)


def import_file(account_id: int, place: Place, path: Path, name: Path) -> bool:
    target = f"{place.name}/{name.as_posix()}".strip("/")
    is_free = area_paths.free_in(account_id, place.area, place.realm)
    fitting = path_names.suggest(target, is_free=is_free) if path_names.fault(target) else target
    db.end()
    session = None
    try:
        size = path.stat().st_size
        session = upload_session.open(
            account_id,
            realm=place.realm,
            area=place.area,
            name=fitting,
            via="import",
            announced=size,
            dataset_id=place.dataset_id,
        )
        with path.open("rb") as file:
            while piece := file.read(READ_SIZE):
                session.write(piece)
        receipt = session.finish()
    except (errors.DomainError, OSError) as error:
        if session is not None:
            session.abort("the import stopped")
        print(f"{path}: {error}", file=sys.stderr)
        return False
    print(f"{receipt.md5}  {folders.path_of(receipt.place)}")
    return True
