"""Free space of the file system of each root, and whether the portal may write there and nobody else may look."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from portal.config import settings
from portal.domain.accounts.centers import REALMS
from portal.domain.shared.sizes import size
from portal.maintenance.self_check.finding import BAD, OK, WARN, Finding

NEARLY_FULL = 0.05


def roots() -> dict[str, Path]:
    folders = {"instance": settings().instance}
    for kind in ("area", "archive"):
        folders |= {f"{kind}, {realm} realm": settings().root(kind, realm) for realm in REALMS}
    return folders


def check() -> Iterator[Finding]:
    disks: dict[int, list[str]] = {}
    for name, path in roots().items():
        fault = trouble(path)
        if fault:
            yield fault
        if path.exists():
            disks.setdefault(path.stat().st_dev, []).append(name)
    for names in disks.values():
        yield room(names)


def trouble(path: Path) -> Finding | None:
    """What keeps the portal from working in a folder."""
    if not path.is_dir():
        return Finding(BAD, f"The folder {path} is not there.", "Mount it, or correct its setting; then restart.")
    try:
        write(path)
    except OSError as error:
        return Finding(BAD, f"Nothing can be written into {path}: {error.strerror}.", "Mend its mount and its owner.")
    if path.stat().st_mode & 0o007:
        return Finding(
            WARN, f"Everybody on this machine may look into {path}, where embargoed data lies.", f"chmod o= {path}"
        )
    return None


def write(path: Path) -> None:
    """A file made durable and removed again."""
    probe = path / f".check-{secrets.token_hex(8)}"
    handle = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(handle, b"omix")
        os.fsync(handle)
    finally:
        os.close(handle)
        probe.unlink()


def room(names: list[str]) -> Finding:
    """How much is left on a file system that holds these roots."""
    status = os.statvfs(roots()[names[0]])
    free, total = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    floor = settings().free_floor_mib << 20
    says = f"{size(free)} of {size(total)} free ({'; '.join(names)})."
    if free <= floor:
        return Finding(BAD, f"{says} No upload starts below {size(floor)}.", "Make room; what waits goes on by itself.")
    if free < 4 * floor or free < NEARLY_FULL * total:
        return Finding(WARN, says, "Make room before uploads are refused.")
    if status.f_files and status.f_favail < 0.01 * status.f_files:
        return Finding(WARN, f"{says} Only {status.f_favail:,} inodes are left.", "Make room for more files.")
    return Finding(OK, says)
