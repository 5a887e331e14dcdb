"""`omix area`: what lies in somebody's area, listed, copied, moved, removed, and brought in from disk."""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from portal import db, errors, ingest
from portal.config import settings
from portal.domain.accounts import accounts
from portal.domain.shared import path_names
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place
from portal.ingest import copy_move, upload_session
from portal.maintenance.startup import open_instance
from portal.models import Account
from portal.queries.uploads import area, uploads

PIECE = 1 << 20


def run(asked: argparse.Namespace) -> int:
    """One of the commands, by its word."""
    open_instance()
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "ls": show,
        "cp": partial(carry, copy_move.copy),
        "mv": partial(carry, copy_move.move),
        "rm": remove,
        "import": bring,
    }
    return verbs[asked.word](asked)


def whose(email: str) -> Account:
    account = accounts.by_email(email)
    if account is None:
        raise errors.NotFound(f"Nobody has the address {email}.")
    return account


def place_of(path: str) -> Place:
    return folders.named(path) if path.strip("/") else Place("incoming", "open", "")


def show(asked: argparse.Namespace) -> int:
    account, place = whose(asked.email), place_of(asked.path)
    last, count = 0, 0
    for name in area.folders(account, place):
        print(f"{'folder':<10} {'':>15} {'':<16} {name}/")
        count += 1
    while rows := area.listing(account, place, after=last, limit=1000):
        for row in rows:
            print(line(row))
        last, count = rows[-1].upload.id, count + len(rows)
    if not count and place.name:
        found = folders.at_or_below(account, place)
        for row in uploads.rows_of([one.id for one in found if one.name == place.name]):
            print(line(row))
    return 0


def line(row: uploads.Row) -> str:
    one = row.upload
    at = datetime.fromtimestamp((one.received_at or one.heard_at) / 1000, settings().zone)
    claimed = f"  {row.dataset.accession or f'draft {row.dataset.id}'}" if row.dataset else ""
    return f"{one.state:<10} {one.size:>15} {at:%Y-%m-%d %H:%M} {one.base}{claimed}"


def carry(verb: Callable[[int, Place, Place], int], asked: argparse.Namespace) -> int:
    """Like cp and mv: into a folder that is there, under its own name."""
    account, old = whose(asked.email), folders.named(asked.source)
    new = folders.named(asked.target)
    if asked.target.endswith("/") or not new.name or is_folder(account, new):
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


def remove(asked: argparse.Namespace) -> int:
    place = folders.named(asked.path)
    with db.transaction():
        count = folders.remove(whose(asked.email), place, folder=asked.folder)
    print(f"{count:,} uploads removed.")
    return 0


def bring(asked: argparse.Namespace) -> int:
    """Each file goes through the same door as any other: digested, durable, recorded, counted for the quota."""
    account_id, place = whose(asked.email).id, place_of(asked.to)
    db.end()
    ingest.start("import")
    try:
        failed = sum(not bring_one(account_id, place, path, name) for path, name in files_of(asked.sources))
    finally:
        ingest.stop()
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


def bring_one(account_id: int, place: Place, path: Path, name: Path) -> bool:
    wanted = f"{place.name}/{name.as_posix()}".strip("/")
    fitting = path_names.suggest(wanted) if path_names.fault(wanted) else wanted
    session = None
    try:
        size = path.stat().st_size
        session = upload_session.open(
            account_id, realm=place.realm, area=place.area, name=fitting, via="import", announced=size
        )
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                session.write(piece)
        receipt = session.finish()
    except (errors.DomainError, OSError) as error:
        if session is not None:
            session.abort("the import stopped")
        print(f"{path}: {error}", file=sys.stderr)
        return False
    print(f"{receipt.md5}  {folders.path_of(Place(place.area, place.realm, fitting))}")
    return True
