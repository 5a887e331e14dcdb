"""`omix up` keeps the three alive and ends them in good order; it is alone on its instance."""

import contextlib
import ftplib
import json
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live import Live
from tests.waiting import until

INES, PASSWORD = "ines@example.org", "correct horse"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("supervisor") / "instance") as started:
        started.token = started.add(INES)
        yield started


def children(pid):
    """Name of each part and its process."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, thread.read_text().split()):
            with contextlib.suppress(OSError):  # it ended just now
                program, _, name = Path(f"/proc/{child}/comm").read_text().strip().partition("-")
                if program == "omix":
                    found[name] = child
    return found


def answers(address):
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def test_killed_parts_come_back_at_their_addresses(live):
    before = children(live.process.pid)
    assert set(before) == {"web", "ftp", "worker"}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def all_new():
        now = children(live.process.pid)
        return set(now) == set(before) and not set(now.values()) & set(before.values())

    until(all_new)
    web = urlsplit(live.web)
    until(lambda: answers((live.ftp.hostname, live.ftp.port)) and answers((web.hostname, web.port)))
    assert live.api(live.token, "GET", "/uploads")[0] == 200
    assert json.loads(live.addresses_file.read_text())["web"].rstrip("/") == live.web


@pytest.mark.full
def test_sigterm_marks_what_is_in_flight_incomplete(live):
    client = ftplib.FTP(timeout=40)
    client.connect(live.ftp.hostname, live.ftp.port)
    client.login(INES, PASSWORD)
    client.voidcmd("TYPE I")
    data = client.transfercmd("STOR /OMIX/slow.bin")
    data.sendall(b"x" * 700_000)
    until(lambda: live.api(live.token, "GET", "/uploads")[1]["items"])

    assert live.stop(within=60) == 0  # later it would have been killed, and its exit code said so
    assert not live.addresses_file.exists()
    data.close()
    client.close()

    live.start()
    (row,) = live.api(live.token, "GET", "/uploads")[1]["items"]
    assert (row["name"], row["state"], row["size"]) == ("slow.bin", "incomplete", 700_000)
    assert live.omix("fsck").stdout == "Catalogue and disk agree.\n"


@pytest.mark.full
def test_second_up_is_refused(live):
    refused = live.omix("up", check=False)

    assert refused.returncode == 1
    assert "Another `omix up` runs" in refused.stderr
    assert live.api(live.token, "GET", "/uploads")[0] == 200


@pytest.mark.full
def test_part_alone_refuses_an_old_schema(tmp_path):
    alone = Live(tmp_path / "empty")
    for part in ("web", "ftp", "worker", "fsck"):
        refused = alone.omix(part, check=False)
        assert refused.returncode == 1
        assert "omix migrate" in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.full
def test_secret_words_are_not_in_the_log(live):
    live.api(live.token, "GET", "/uploads")
    live.api("omix_wrong-token", "GET", "/uploads")
    client = ftplib.FTP(timeout=10)
    client.connect(live.ftp.hostname, live.ftp.port)
    client.login(INES, PASSWORD)
    client.quit()

    log = live.log()
    assert PASSWORD not in log
    assert live.token not in log
