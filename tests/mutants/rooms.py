"""Which tests answer for which sources."""

from collections.abc import Iterable
from pathlib import Path

# room: (its sources, the tests that must notice), as globs from the root; a folder means every test file below it.
Rooms = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
ROOMS: Rooms = {
    "access": (
        ("portal/domain/permissions/*.py",),
        (
            "tests/permissions",
            "tests/access_requests",
            "tests/datasets/test_handover.py",
            "tests/datasets/test_realms.py",
        ),
    ),
    "grants": (("portal/domain/access_requests/*.py",), ("tests/access_requests", "tests/permissions")),
    "releases": (
        (
            "portal/domain/datasets/releases.py",
            "portal/domain/datasets/publications.py",
            "portal/domain/datasets/realms.py",
        ),
        (
            "tests/datasets/test_datasets.py",
            "tests/datasets/test_publication_watcher.py",
            "tests/datasets/test_re*.py",
            "tests/datasets/test_share_links.py",
            "tests/datasets/test_history.py",
            "tests/archive/test_archive.py",
            "tests/archive/test_copies.py",
            "tests/archive/test_fixity.py",
        ),
    ),
    "archiving": (
        ("portal/domain/archive/*.py", "portal/domain/uploads/replacements.py"),
        (
            "tests/archive",
            "tests/jobs/test_kinds.py",
            "tests/uploads/test_replacements.py",
            "tests/files/test_replace.py",
            "tests/faults/test_restore.py",
        ),
    ),
    "matching": (
        ("portal/domain/files/matching*.py", "portal/domain/files/diagnosis.py"),
        (
            "tests/files",
            "tests/uploads/test_unclaimed.py",
            "tests/uploads/test_folders.py",
            "tests/datasets/test_datasets.py",
            "tests/datasets/test_realms.py",
            "tests/jobs/test_kinds.py",
        ),
    ),
    "storage": (
        ("portal/storage.py",),
        (
            "tests/ingest",
            "tests/archive/test_storage.py",
            "tests/archive/test_copies.py",
            "tests/archive/test_archive.py",
            "tests/archive/test_odd_files.py",
            "tests/ftp/test_store.py",
            "tests/faults/test_durable.py",
        ),
    ),
    "uploads": (
        ("portal/domain/uploads/*.py", "portal/domain/accounts/quotas.py", "portal/ingest/*.py"),
        (
            "tests/ingest",
            "tests/uploads",
            "tests/accounts/test_*quota*.py",
            "tests/accounts/test_centers.py",
            "tests/admin/test_uploads.py",
            "tests/cli",
            "tests/jobs/test_kinds.py",
            "tests/web/api/test_tus.py",
            "tests/ftp/test_resume.py",
            "tests/ftp/test_store.py",
        ),
    ),
    "links": (
        ("portal/domain/datasets/share_links.py",),
        ("tests/datasets/test_share_links.py", "tests/permissions"),
    ),
    "reports": (("portal/domain/reports/*.py",), ("tests/reports",)),
}


def sources(rooms: Rooms, root: Path) -> dict[str, str]:
    """Each source file, as a path from the root: its room. The first room that names a file has it."""
    found: dict[str, str] = {}
    for room, (globs, _tests) in rooms.items():
        for path in files(root, globs, "*.py"):
            found.setdefault(path, room)
    return found


def tests(rooms: Rooms, room: str, root: Path) -> list[str]:
    """The test files of a room, as paths from the root."""
    return files(root, rooms[room][1], "test_*.py")


def files(root: Path, globs: Iterable[str], pattern: str) -> list[str]:
    """Raises FileNotFoundError for a glob that fits nothing, so that the table cannot go stale unseen."""
    found: dict[str, None] = {}
    for glob in globs:
        paths = sorted(root.glob(glob))
        if not paths:
            raise FileNotFoundError(f"{glob} fits no file: mend tests/mutants/rooms.py.")
        for path in paths:
            below = sorted(path.rglob(pattern)) if path.is_dir() else [path]
            found |= dict.fromkeys(one.relative_to(root).as_posix() for one in below)
    return list(found)
