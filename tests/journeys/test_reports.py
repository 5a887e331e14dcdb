"""Batch reports end to end: XML comes, the hour comes, the same reports are fetched by page, call and FTP."""

import ftplib
import io
import json
import time
import urllib.request

import pytest

from portal import config, db, queue
from portal.config import Settings
from portal.domain import reports
from portal.jobs.worker import Worker
from tests.chromium import chromium, look
from tests.live import Live
from tests.plugins.clients import needs
from tests.telemetry import metadata as xml

# The portal's own worker may write the first reports before the delivery is in.
pytestmark = [needs("chromium"), pytest.mark.soak]
INES, PASSWORD = "ines@example.org", "correct horse"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("reports") / "instance") as started:
        started.token = started.add(INES)
        submit(started)
        make_reports(started)
        yield started


def submit(live) -> None:
    """A whole delivery, as curl -F sends it."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.xml"\r\n\r\n'.encode() + data
             for name, data in xml.parts().items()]  # fmt: skip
    headers = {"Authorization": f"Bearer {live.token}", "Content-Type": "multipart/form-data; boundary=x"}
    body = b"\r\n".join(parts) + b"\r\n--x--\r\n"
    with urllib.request.urlopen(urllib.request.Request(f"{live.web}/api/v1/submit", body, headers)) as answer:
        assert b'success="true"' in answer.read()


def make_reports(live) -> None:
    """What the worker's clock does within a minute."""
    config.use(Settings(instance=live.instance, free_floor_mib=1))
    db.configure(config.settings().database)
    queue.configure("")
    with db.transaction():
        reports.plan()
    Worker().drain()
    db.dispose()
    config.use(None)


def wait_for(live, count: int) -> None:
    """The portal's own worker may have taken some of them."""
    until = time.monotonic() + 40
    while len(json.loads(ask(live, "/api/v1/reports"))["items"]) < count:
        assert time.monotonic() < until
        time.sleep(0.2)


def ask(live, path: str) -> bytes:
    request = urllib.request.Request(live.web + path, headers={"Authorization": f"Bearer {live.token}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def by_ftp(live) -> dict[str, bytes]:
    found = {}
    with ftplib.FTP() as door:
        door.connect(live.ftp.hostname, live.ftp.port)
        door.login(INES, PASSWORD)
        for path in [*door.nlst("/outgoing/Files"), "/outgoing-protected/Files/usage_report.txt"]:
            data = io.BytesIO()
            whole = path if path.startswith("/") else f"/outgoing/Files/{path}"
            door.retrbinary(f"RETR {whole}", data.write)
            found[whole] = data.getvalue()
    return found


def test_reports_are_the_same_by_page_call_and_ftp(live):
    wait_for(live, 4)
    lying = by_ftp(live)
    listed = json.loads(ask(live, "/api/v1/reports"))["items"]
    called = {(one["name"], one["realm"]): ask(live, one["url"].removeprefix(live.web)) for one in listed}
    assert len(listed) == 4 and sorted(called.values()) == sorted(lying.values())
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/tracking")
        page.get_by_label("Views").get_by_role("link", name="Reports").click()
        look(page)
        (name,) = [one["name"] for one in listed if one["kind"] == "metadata" and one["full"]]
        with page.expect_download() as told:
            page.get_by_role("link", name=name).click()
        assert told.value.path().read_bytes() == lying[f"/outgoing/Files/{name}"]
        with page.expect_download() as told:
            page.get_by_role("link", name="Accessions now").click()
        assert told.value.suggested_filename == "OMIX_Accessions.tsv"
        assert "OMIXP000001" in told.value.path().read_text()
        page.goto("/reports")
        look(page)
