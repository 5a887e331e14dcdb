"""An instance kept as it stands and put back later: what takes seconds to deposit is deposited once in a process."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from portal import clock, db, ingest
from portal.config import Settings
from portal.ingest.group_commit import group_commit
from portal.models import Upload


@dataclass(frozen=True)
class Kept:
    """A copy of an instance: what its maker returned, the moment (ms) it was made, and the file of each upload that
    still lies in an area, below the instance."""

    folder: Path
    value: Any
    moment: int
    uploads: dict[int, Path]


class Snapshots:
    """The kept instances of this process, by what made them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[tuple[Any, ...], Kept] = {}

    def once(self, settings: Settings, make: Callable[..., Any], *given: Any) -> Any:
        """What make(*given) returns, in an instance as it left it. Bytes may be sent in while it runs; afterwards, if
        they could be before."""
        key = (make.__module__, make.__qualname__, *given)
        received = group_commit._thread is not None
        if key not in self._kept:
            ingest.start("test")
            value = make(*given)
            ingest.stop()
            self._kept[key] = self._keep(settings, value)
        else:
            ingest.stop()
            self._put_back(settings, self._kept[key])
        if received:
            ingest.start("test")
        return self._kept[key].value

    def _keep(self, settings: Settings, value: Any) -> Kept:
        db.end()
        lying = {path.stat().st_ino: path for path in (settings.instance / "area").rglob("*") if path.is_file()}
        with db.reading() as session:
            rows = session.execute(select(Upload.id, Upload.inode).where(Upload.inode.in_(lying))).all()
        uploads = {upload_id: lying[inode].relative_to(settings.instance) for upload_id, inode in rows if inode}
        folder = self._folder / str(len(self._kept))
        keep(settings, folder)
        return Kept(folder, value, clock.now(), uploads)

    def _put_back(self, settings: Settings, kept: Kept) -> None:
        put_back(settings, kept.folder)
        clock.shift(kept.moment - clock.now())
        if kept.uploads:  # copies are other files, and a row tells which file its digests are of
            inodes = [
                {"id": upload_id, "inode": (settings.instance / path).stat().st_ino}
                for upload_id, path in kept.uploads.items()
            ]
            with db.transaction() as session:
                session.execute(update(Upload), inodes)


def keep(settings: Settings, folder: Path) -> None:
    """Copy the instance to a folder that is not there yet."""
    db.dispose()
    _copy(settings.instance, folder)
    db.configure(settings.database)


def put_back(settings: Settings, folder: Path) -> None:
    """Make the instance what it was when it was kept there."""
    db.dispose()
    shutil.rmtree(settings.instance)
    _copy(folder, settings.instance)
    db.configure(settings.database)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder: two names of one file stay that."""
    linked: dict[int, str] = {}

    def copy(old: str, new: str) -> None:
        status = Path(old).lstat()
        if status.st_nlink > 1 and status.st_ino in linked:
            os.link(linked[status.st_ino], new)
            return
        linked[status.st_ino] = new
        shutil.copy2(old, new, follow_symlinks=False)

    shutil.copytree(source, target, symlinks=True, copy_function=copy)
