"""FTP and web are killed at each named step of receiving, with everything else; after the restart each acknowledged
upload is there with its digest, nothing half-recorded is, and the rest can be sent again."""

import contextlib
import ftplib
import hashlib
import http.client
import io
import os
import signal
from pathlib import Path

import pytest

from tests.live import Live
from tests.waiting import until

INES, PASSWORD = "ines@example.org", "correct horse"
STEPS = [
    "write:2",
    "committed:3",
    *(pytest.param(step, marks=pytest.mark.soak) for step in ("written:3", "synced:3", "recorded:3")),
]
SIZES = (10, 0, 300_000, 5_000, 9 << 20)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    made = Live(tmp_path_factory.mktemp("killed") / "instance")
    with made:
        made.token = made.add(INES)
    yield made
    made.stop()


def kill_all(live):
    """SIGKILL for `omix up` and whatever it started."""
    family = [live.process.pid]
    for pid in family:
        for thread in Path(f"/proc/{pid}/task").glob("*/children"):
            family += [int(child) for child in thread.read_text().split()]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):  # it ended with its parent
            os.kill(pid, signal.SIGKILL)
    live.process.wait()
    live.process = None
    until(lambda: not any(Path(f"/proc/{pid}").exists() and "Z" not in stat(pid) for pid in family[1:]))


def stat(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def by_ftp(live, name, data):
    with ftplib.FTP(timeout=10) as client:
        client.connect(live.ftp.hostname, live.ftp.port)
        client.login(INES, PASSWORD)
        return client.storbinary(f"STOR /OMIX/{name}", io.BytesIO(data)).startswith("226")


def by_put(live, name, data):
    return live.api(live.token, "PUT", f"/uploads/open/{name}", data)[0] in (200, 201)


def send_until_killed(live, send, contents):
    """Names of what was acknowledged before the process died."""
    acknowledged = []
    for name, data in contents.items():
        try:
            assert send(live, name, data)
        except (OSError, EOFError, ftplib.Error, http.client.HTTPException):
            return acknowledged
        acknowledged.append(name)
    raise AssertionError("the fault was not passed")


def present(live):
    """The newest row of each name: a cut one that another has replaced stands behind it."""
    found, address = {}, "/uploads?limit=500"
    while address:
        _status, page = live.api(live.token, "GET", address)
        found = {row["name"]: row for row in reversed(page["items"])} | found
        address = (page["next"] or "").partition("/api/v1")[2]
    return found


@pytest.mark.full
@pytest.mark.parametrize("step", STEPS)
def test_what_was_acknowledged_survives(live, step):
    doors = {"ftp": by_ftp, "put": by_put}
    folder = step.partition(":")[0]
    contents = {door: {f"{folder}/{door}{n}.bin": os.urandom(size) for n, size in enumerate(SIZES)} for door in doors}
    everything = contents["ftp"] | contents["put"]
    live.start(OMIX_FAULT=f"receive.{step}:kill")
    acknowledged = [name for door, send in doors.items() for name in send_until_killed(live, send, contents[door])]
    kill_all(live)

    live.start()
    assert live.omix("fsck", "--deep", check=False).stdout == "Catalogue and disk agree.\n"
    rows = present(live)
    for name in acknowledged:
        assert (rows[name]["state"], rows[name]["md5"]) == ("received", hashlib.md5(everything[name]).hexdigest())
    for name, row in rows.items():
        if row["state"] == "received" and name in everything:
            assert row["sha256"] == hashlib.sha256(everything[name]).hexdigest()

    for door, send in doors.items():
        for name, data in contents[door].items():
            assert send(live, name, data)
    rows = present(live)
    assert {name: (rows[name]["state"], rows[name]["md5"]) for name in everything} == {
        name: ("received", hashlib.md5(data).hexdigest()) for name, data in everything.items()
    }
    assert live.stop() == 0
