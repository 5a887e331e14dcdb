"""The clock of this machine: against its own past, against the disks, and by what the kernel says of it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from portal import clock, db
from portal.config import settings
from portal.domain.accounts.centers import REALMS
from portal.domain.shared import trusted_clock
from portal.maintenance.self_check.finding import BAD, OK, WARN, Finding, span
from portal.models import Event

FAR = 60_000


def check() -> Iterator[Finding]:
    newest = db.session.scalar(select(Event.at).order_by(Event.id.desc()).limit(1)) or 0
    ahead = newest - clock.now()
    if ahead > FAR:
        yield Finding(BAD, f"The clock was set back: the history is {span(ahead)} ahead of it.", "Set it right.")
    for realm in REALMS:
        off = abs(disk_time(settings().root("area", realm)) - clock.now())
        if off > FAR:
            yield Finding(
                WARN,
                f"The disk of the {realm} area has another time, by {span(off)}.",
                "Let both machines follow a time service.",
            )
    if trusted_clock.is_doubtful():
        leap = clock.now() - (db.session.scalar(trusted_clock.believed()) or 0)
        yield Finding(
            BAD,
            f"The clock leapt {span(leap)} ahead. What opens, ends or expires by date waits.",
            "Set it right; or, where it is right, run omix release-due --clock-is-right.",
        )
    elif ahead <= FAR:
        kept = "" if trusted_clock.is_kept() else " The kernel knows of no time service that keeps it."
        yield Finding(OK, f"The clock runs forward.{kept}")


def disk_time(folder: Path) -> int:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".check-") as probe:
        return os.fstat(probe.fileno()).st_mtime_ns // 1_000_000
