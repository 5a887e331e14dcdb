"""`omix report` and `omix metamd5`: batch reports by command, and the comparison of versions."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from portal import db, errors
from portal.domain.accounts import centers
from portal.domain.components import metamd5
from portal.domain.reports import current, diff
from portal.domain.reports.atomic_files import Landing
from portal.maintenance.startup import open_instance
from portal.models import Center
from portal.queries.reports import reports

PIECE = 1 << 20


def sums(asked: argparse.Namespace) -> int:
    return metamd5.main(asked.paths)


def report(asked: argparse.Namespace) -> int:
    open_instance()
    if asked.kind == "changed":
        return compare(asked)
    center = named(asked.center)
    if asked.date and asked.kind == "accessions":
        with target(asked.output) as out:
            out.writelines(current.kept_accessions(reports.last_dump(center.id, asked.date)))
        return 0
    if asked.date:
        kind = "usage_protected" if asked.kind == "usage" and asked.realm == "protected" else asked.kind
        _, path = reports.stored(center.id, kind, day=asked.date, full=asked.full)
        with target(asked.output) as out, path.open("rb") as kept:
            while piece := kept.read(PIECE):
                out.write(piece)
        return 0
    since = 0 if asked.full else reports.moment(asked.since)
    with target(asked.output) as out:
        if asked.kind == "metadata":
            current.dump(center, out, since=since)
        else:
            out.writelines(current.text(asked.kind, center, since=since, realm=asked.realm))
    return 0


def named(name: str) -> Center:
    if not name:
        raise errors.Invalid("Name the center: --center NAME.")
    with db.reading():
        found = centers.find(name)
    if found is None:
        raise errors.NotFound(f"There is no center {name}.")
    return found


@contextmanager
def target(path: Path | None) -> Iterator[BinaryIO]:
    """Where the report goes; a file appears when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Landing(path.absolute().parent) as place:
        yield place.open(path.name)
        place.place()


def compare(asked: argparse.Namespace) -> int:
    """Exit code 1 when anything differs, as diff does."""
    if not asked.since:
        raise errors.Invalid("Name the report to compare with: --since FILE.")
    differs = 0
    with Path(asked.since).open("rb") as kept:
        center_id = named(asked.center).id if asked.center else whose(kept)
        with target(asked.output) as out:
            out.write(diff.head().encode())
            for one in diff.compare(center_id, diff.read(kept)):
                differs = 1
                out.write(one.text.encode())
    return differs


def whose(kept: BinaryIO) -> int:
    with db.reading():
        found = diff.center_of(diff.read(kept))
    kept.seek(0)
    if found is None:
        raise errors.NotFound("Nothing of this report is here. Name the center: --center NAME.")
    return found
