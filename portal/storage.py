"""Bytes on disk: tokens, durable writes, moves without overwrite, digests. Knows no database.

Area bytes lie at area/<realm>/<account id>/<token>, archived ones in the bag of their dataset, at
archive/<realm>/<accession>/data/<file accession>/<name>.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import stat
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from portal import errors
from portal.config import settings
from portal.faults import point
from portal.messages import say

BLOCK = 2 << 20
SYNC_EVERY = 64 << 20
FEW_FOLDERS = 16
# Paths may come as text: of a hundred thousand files, joining and parsing them would cost more than the rest.
StrPath = Path | str
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Facts:
    """What a digest is valid for: exactly these bytes."""

    inode: int
    size: int
    mtime_ns: int


def token() -> str:
    return secrets.token_hex(16)


def area_path(realm: str, account_id: int, name: str) -> Path:
    """Where the bytes of an upload lie, by its token."""
    return settings().root("area", realm) / str(account_id) / name


def bag_path(realm: str, accession: str) -> Path:
    """The BagIt folder of a dataset."""
    return settings().root("archive", realm) / accession


def archived_path(realm: str, accession: str, archive_path: str) -> Path:
    """An archived file; archive_path is relative to the bag, such as data/OMIX000001-01/run1/a.gz."""
    return bag_path(realm, accession) / archive_path


def facts_of(status: os.stat_result) -> Facts:
    return Facts(status.st_ino, status.st_size, status.st_mtime_ns)


def facts(path: StrPath) -> Facts | None:
    """The facts of a regular file, None when there is none. Links and devices are not followed."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return facts_of(status) if stat.S_ISREG(status.st_mode) else None


def open_new(path: Path) -> int:
    """A descriptor of a file that did not exist, mode 0600; its folder is made durable first when new."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(path.parent)
        return os.open(path, flags, 0o600)


def is_shared(path: Path) -> bool:
    """Whether the bytes have a second name, which only the archive gives."""
    try:
        return path.lstat().st_nlink > 1
    except FileNotFoundError:
        return False


def open_again(path: Path) -> int:
    """A descriptor to go on writing into bytes that nobody froze; never into bytes that the archive names too."""
    if is_shared(path):
        raise PermissionError(errno.EPERM, "These bytes are archived.")
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _irregular()
    if status.st_mode & 0o600 != 0o600:
        path.chmod(0o600)  # frozen once, and given back by the archive job
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def _irregular() -> errors.StorageFault:
    return errors.StorageFault(say("no_regular_file", "What lies there is no regular file."))


def open_read(path: StrPath) -> int:
    """A descriptor to read a regular file. Raises FileNotFoundError, or StorageFault for anything else: a link, a
    device, a socket, or a pipe, on which it does not wait."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        raise _irregular() from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _irregular()
    return handle


def forget_pages(path: StrPath) -> None:
    """Let the next reading come from the disk and not from memory. Raises as open_read() does."""
    handle = open_read(path)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def sync_dir(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folders(folders: set[Path], root: Path) -> None:
    """Make the entries of folders below a root, and of those between, last: one call for its whole file system where
    there are many, since each fsync costs a turn of the disk."""
    if len(folders) > FEW_FOLDERS and hasattr(_libc, "syncfs"):
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if _libc.syncfs(handle) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), str(root))
        finally:
            os.close(handle)
        return
    between = {parent for folder in folders for parent in folder.parents if parent.is_relative_to(root)}
    for folder in sorted(folders | between, key=lambda path: len(path.parts), reverse=True):
        sync_dir(folder)


def make_folder(path: Path) -> list[Path]:
    """Make a folder and its parents; returns the folders whose entries changed and which are synced here."""
    created = []
    while not path.exists():
        created.append(path)
        path = path.parent
    for folder in reversed(created):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_dir(folder.parent)
    return created


def link_into(source: StrPath, target: StrPath, *, progress: Callable[[int], None] | None = None) -> None:
    """Give bytes a second name in the archive, never over another file; the caller syncs the folder.

    Done already when both are one file. Across file systems it is a copy, verified by a second read, under a
    temporary name. Raises StorageFault when the target holds other bytes.
    """
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        if facts(target) != facts(source) and not same_bytes(source, target):
            raise errors.StorageFault(
                say("archive_other_bytes", "The archive already holds other bytes at {target}.", target=target)
            ) from None
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        _copy_into(Path(source), Path(target), progress)
    os.chmod(target, 0o444)


def link_beside(source: Path, target: Path) -> None:
    """Give bytes of the area a second name there; a verified copy where the disk cannot link. The caller syncs the
    folder. Bytes with two names are never written to: open_again() refuses."""
    make_folder(target.parent)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        _copy_into(source, target, None)


def _copy_into(source: Path, target: Path, progress: Callable[[int], None] | None) -> None:
    temporary = target.with_name(f".{target.name[:200]}.{token()}")
    try:
        before = digest(source, progress=progress)
        with source.open("rb") as reader, temporary.open("xb") as writer:
            shutil.copyfileobj(reader, writer, BLOCK)
            writer.flush()
            os.fsync(writer.fileno())
        if digest(temporary, progress=progress) != before:
            raise errors.StorageFault(
                say("archive_copy_differs", "The copy in the archive differs from what was received.")
            )
        os.link(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def same_bytes(path: StrPath, other: StrPath) -> bool:
    first, second = facts(path), facts(other)
    if first is None or second is None or first.size != second.size:
        return False
    return first.inode == second.inode or digest(path) == digest(other)


def remove(path: StrPath) -> None:
    """Unlink; absence is fine."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a small file so that a reader, or a crash, sees the old or the new one whole."""
    temporary = path.with_name(f".{path.name}.{token()}")
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as writer:
            writer.write(content)
            writer.flush()
            os.fsync(writer.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_dir(path.parent)


def free_bytes(realm: str) -> int:
    """Room left for uploads of a realm."""
    status = os.statvfs(settings().root("area", realm))
    return status.f_bavail * status.f_frsize


def digest(path: StrPath, *, progress: Callable[[int], None] | None = None) -> tuple[str, str, int]:
    """MD5, SHA-256 and size of a file, each digest in its own thread. `progress` gets the bytes done and may raise."""
    handle = open_read(path)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        return digest_of(_blocks(handle), progress=progress)
    finally:
        os.close(handle)


def _blocks(handle: int) -> Iterable[memoryview]:
    """The file in blocks; three buffers in turn, so that one is read while two are digested."""
    buffers = [bytearray(BLOCK) for _ in range(3)]
    turn = 0
    while count := os.readv(handle, [buffers[turn]]):
        point("digest.block")
        yield memoryview(buffers[turn])[:count]
        turn = (turn + 1) % 3


def digest_of(blocks: Iterable[memoryview], *, progress: Callable[[int], None] | None = None) -> tuple[str, str, int]:
    """Digest blocks side by side; a block is asked for only when the one before the last is done."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    size = 0
    running: list[Future[None]] = []
    with ThreadPoolExecutor(2) as pool:
        for block in blocks:
            for digest_step in running:
                digest_step.result()
            running = [pool.submit(md5.update, block), pool.submit(sha256.update, block)]
            size += len(block)
            if progress:
                progress(size)
        for digest_step in running:
            digest_step.result()
    return md5.hexdigest(), sha256.hexdigest(), size


_space_lock = threading.Lock()
_promised: dict[str, int] = {}


def promise(realm: str, count: int) -> None:
    """Count bytes announced but not yet written (negative to give back): the free floor holds for all at once."""
    with _space_lock:
        _promised[realm] = max(0, _promised.get(realm, 0) + count)


def check_room(realm: str, announced: int = 0) -> None:
    """Raises DiskFull when an upload would go below the free floor."""
    floor = settings().free_floor_mib << 20
    if free_bytes(realm) - _promised.get(realm, 0) - announced < floor:
        raise errors.DiskFull(
            say("archive_no_room", "The archive has no room for this now; its operator is told. Try again later.")
        )
