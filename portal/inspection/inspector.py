"""Look into one file: its type, its one fault if it has any, its members, and what was left unchecked."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from portal.inspection import contents, file_types
from portal.inspection.formats.zip import Zip
from portal.inspection.limits import Bounds, Fault, Stop, Watch
from portal.inspection.members import Listing, Member
from portal.inspection.readers import HEAD, Span


@dataclass
class Report:
    """What was found. `error` is a word of the vocabulary, `cause` one sentence; `unchecked` says why and what was not
    looked at, and is empty where all was."""

    file_type: str
    error: str | None = None
    cause: str = ""
    unchecked: str = ""
    members: list[Member] = field(default_factory=list)


def inspect(
    handle: int, *, name: str, size: int, bounds: Bounds | None = None, progress: Callable[[int], None] | None = None
) -> Report:
    """Look into an open file of this size. `progress` gets the bytes done and may raise; nothing else is raised but
    OSErrors of the disk."""
    watch = Watch(size, bounds=bounds, progress=progress)
    head = os.pread(handle, HEAD, 0)
    kind = file_types.of(head, size)
    report = Report(file_types.shown(kind))
    if kind == "EMPTY":
        report.error, report.cause = "empty_file", ""
        return report
    listing = Listing(watch, contents.check)
    try:
        if kind in ("ZIP", "MSOFFICE") and head.startswith(b"PK"):
            Zip(handle, size, listing if kind == "ZIP" else None, watch).walk()
        else:
            contents.check(kind, Span(handle, watch, size=size), name, size, watch, listing)
    except Fault as fault:
        report.error, report.cause = fault.word, fault.cause
    except Stop as stop:
        report.unchecked = stop.why
    return _close(report, listing)


def _close(report: Report, listing: Listing) -> Report:
    report.members = listing.members
    if report.error is None and listing.fault is not None:
        report.error, report.cause = listing.fault.word, listing.fault.cause
    if not report.unchecked and listing.unchecked:
        report.unchecked = listing.unchecked
    if not report.unchecked and listing.unread:
        members = "1 member" if listing.unread == 1 else f"{listing.unread:,} members"
        report.unchecked = f"{members} could not be read, being encrypted, sparse or packed in an unknown way."
    return report
