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
from portal.domain.reports.atomic_files import AtomicFiles
from portal.maintenance.startup import open_instance
from portal.messages import say
from portal.models import Center
from portal.queries.reports import reports

READ_SIZE = 1 << 20


def sums(args: argparse.Namespace) -> int:
    return metamd5.main(args.paths)


def report(args: argparse.Namespace) -> int:
    open_instance()
    if args.kind == "changed":
        return compare(args)
    center = center_named(args.center)
    if args.date and args.kind == "accessions":
        with target(args.output) as out:
            out.writelines(current.kept_accessions(reports.last_dump(center.id, args.date)))
        return 0
    if args.date:
        kind = "usage_protected" if args.kind == "usage" and args.realm == "protected" else args.kind
        _, path = reports.stored(center.id, kind, day=args.date, full=args.full)
        with target(args.output) as out, path.open("rb") as kept:
            while piece := kept.read(READ_SIZE):
                out.write(piece)
        return 0
    since = 0 if args.full else reports.moment(args.since)
    with target(args.output) as out:
        if args.kind == "metadata":
            current.dump(center, out, since=since)
        else:
            out.writelines(current.text(args.kind, center, since=since, realm=args.realm))
    return 0


def center_named(name: str) -> Center:
    if not name:
        raise errors.Invalid(say("center_option_needed", "Name the center: --center NAME."))
    with db.reading():
        center = centers.find(name)
    if center is None:
        raise errors.NotFound(say("center_name_unknown", "There is no center {name}.", name=name))
    return center


@contextmanager
def target(path: Path | None) -> Iterator[BinaryIO]:
    """Where the report goes; a file appears when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with AtomicFiles(path.absolute().parent) as place:
        yield place.open(path.name)
        place.place()


def compare(args: argparse.Namespace) -> int:
    """Exit code 1 when anything differs, as diff does."""
    if not args.since:
        raise errors.Invalid(say("since_option_needed", "Name the report to compare with: --since FILE."))
    differs = 0
    with Path(args.since).open("rb") as kept:
        center_id = center_named(args.center).id if args.center else center_of(kept)
        with target(args.output) as out:
            out.write(diff.head().encode())
            for change in diff.compare(center_id, diff.read(kept)):
                differs = 1
                out.write(change.text.encode())
    return differs


def center_of(kept: BinaryIO) -> int:
    with db.reading():
        center_id = diff.center_of(diff.read(kept))
    kept.seek(0)
    if center_id is None:
        raise errors.NotFound(
            say("report_none_here", "Nothing of this report is here. Name the center: --center NAME.")
        )
    return center_id
