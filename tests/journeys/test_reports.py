"""Batch reports end to end: XML comes, the hour comes, the same reports are fetched by page, call and FTP."""

import ftplib
import io
import json
import urllib.request

import pytest

from portal.domain.accounts import accounts
from portal.domain.components import submissions
from portal.domain.components.submission_batch import Document
from tests.chromium import chromium, look
from tests.live import Live, opened
from tests.plugins.clients import needs
from tests.reports import metadata as xml
from tests.waiting import until

pytestmark = [needs("chromium"), pytest.mark.full]
INES, PASSWORD = "ines@example.org", "correct horse"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The delivery is in before the portal's worker first looks what is due: reports are written once a day."""
    made = Live(tmp_path_factory.mktemp("reports") / "instance")
    made.omix("migrate")
    made.token = made.add(INES)
    with opened(made.instance):
        account = accounts.by_email(INES)
        assert account is not None
        submissions.take([Document(name, data) for name, data in xml.parts().items()], actor=account, via="api")
    with made:
        yield made


def wait_for(live, count: int) -> None:
    """Written by the portal's own worker, which looks every minute."""
    until(lambda: len(json.loads(ask(live, "/api/v1/reports"))["items"]) >= count, 90)


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
