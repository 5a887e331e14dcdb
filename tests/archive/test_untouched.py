"""No archived byte is ever written to: every opening of a file is seen, and every file is read again after each step
of the life of its dataset."""

import contextlib
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import clock, db, storage
from portal.config import settings
from portal.domain.datasets import datasets, releases
from portal.domain.files import files
from portal.domain.uploads import replacements
from portal.models import Dataset
from tests import depositing as deposit
from tests.conftest import INES, RUTH

pytestmark = pytest.mark.usefixtures("receiving")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_TRUNC | os.O_APPEND
watchers: list["Watch"] = []


class Watch:
    """What was done, in this process, to names below data/ of a bag that had been archived before."""

    def __init__(self) -> None:
        self.root = str(settings().instance / "archive")
        self.written: list[str] = []

    def see(self, event: str, words: tuple) -> None:
        if event == "open" and isinstance(words[0], str | bytes | os.PathLike):
            path, mode, flags = os.fsdecode(words[0]), words[1] or "", words[2] or 0
            if flags & WRITES or set(str(mode)) & set("wax+"):
                self.note(event, path)
        elif event == "os.truncate" and not isinstance(words[0], int):
            self.note(event, os.fsdecode(words[0]))
        elif event == "os.rename":
            self.note(event, os.fsdecode(words[1]))

    def note(self, event: str, path: str) -> None:
        if path.startswith(self.root) and "/data/" in path:
            self.written.append(f"{event} {path}")


def hook(event: str, words: tuple) -> None:
    for watcher in watchers:
        watcher.see(event, words)


@pytest.fixture(scope="module")
def hooked() -> None:
    sys.addaudithook(hook)  # cannot be taken back; without watchers it does nothing


@pytest.fixture
def watch(hooked, database) -> Iterator[Watch]:
    watchers.append(Watch())
    yield watchers[-1]
    watchers.clear()


def stood(dataset_id: int) -> dict[int, tuple]:
    """Digest and facts of each archived file, by number."""
    found = {}
    for file in deposit.files_of(dataset_id):
        if file.state == "archived":
            path = deposit.archived_path(dataset_id, file.n)
            status = path.stat()
            found[file.n] = (
                hashlib.sha256(path.read_bytes()).hexdigest(),
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
                stat.S_IMODE(status.st_mode),
            )
    return found


def change(dataset_id: int, **fields: str) -> None:
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), fields, actor=INES.account)


def rename(dataset_id: int) -> None:
    with db.transaction():
        files.edit(files.by_number(db.session.get_one(Dataset, dataset_id), 2), {"title": "X"}, actor=INES.account)


def replace(dataset_id: int) -> None:
    with db.transaction():
        other = files.by_number(db.session.get_one(Dataset, dataset_id), 3)
        replacements.replace(other, actor=INES.account, md5=deposit.md5(b"right"))
    deposit.send("run1/c.bin", b"right")


def release(dataset_id: int) -> None:
    deposit.approve(dataset_id)
    deposit.ask_release(dataset_id)


def correct(dataset_id: int) -> None:
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), {"title": "Corrected"}, actor=RUTH.account)


def suppress(dataset_id: int) -> None:
    with db.transaction():
        releases.suppress(db.session.get_one(Dataset, dataset_id), actor=RUTH.account, note="N")


def send_again(_dataset_id: int) -> None:
    with contextlib.suppress(Exception):  # the name of an archived file is taken
        deposit.send("a.bin", b"other bytes altogether")


STEPS = [
    lambda one: change(one, title="Renamed"),
    rename,
    send_again,
    replace,
    lambda one: change(one, access="controlled"),
    lambda one: change(one, access="open"),
    release,
    correct,
    suppress,
]


def test_archived_bytes_are_never_written_to(watch, run_jobs):
    contents = {"a.bin": b"one", "b.bin": os.urandom(400_000), "run1/c.bin": b"wrong"}
    dataset_id = deposit.submit(contents)
    deposit.run_until_idle(run_jobs, clock)
    before = stood(dataset_id)
    assert {row[-1] for row in before.values()} == {0o444}
    digests = [hashlib.sha256(data).hexdigest() for data in contents.values()]
    assert [row[0] for row in before.values()] == digests

    for step in STEPS:
        step(dataset_id)
        deposit.run_until_idle(run_jobs, clock)
        deposit.run_until_idle(run_jobs, clock)
        after = stood(dataset_id)
        assert {n: after.get(n) for n in (1, 2)} == {n: before[n] for n in (1, 2)}

    assert list(stood(dataset_id)) == [1, 2, 4]
    assert deposit.get(dataset_id).state == "suppressed"
    assert watch.written == []


@pytest.mark.parametrize(
    "act",
    [
        lambda path: path.open("r+b").close(),
        lambda path: os.close(os.open(path, os.O_RDWR)),
        lambda path: os.truncate(path, 1),
        lambda path: Path(path.parent / ".x").rename(path),
    ],
    ids=["open", "os.open", "truncate", "rename over it"],
)
def test_the_watch_sees_every_way_to_write(watch, run_jobs, act):
    dataset_id = deposit.submit({"a.bin": b"one"})
    run_jobs()
    path = deposit.archived_path(dataset_id)
    path.chmod(0o644)
    storage.link_beside(path, path.parent / ".x")

    act(path)

    assert len(watch.written) == 1
