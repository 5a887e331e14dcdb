"""Webhooks in a real browser, with the portal's own processes: added, tested, told of an upload within seconds."""

import re

import pytest

from tests.chromium import chromium, expect, look
from tests.live import Live
from tests.plugins.clients import needs
from tests.receiver import Receiver
from tests.waiting import until

pytestmark = [needs("chromium"), pytest.mark.soak]
INES, PASSWORD = "ines.okafor@example.org", "correct horse"


@pytest.fixture
def live(tmp_path):
    with Live(tmp_path / "instance", OMIX_WEBHOOK_PRIVATE="1") as started:
        started.token = started.add(INES, password=PASSWORD)
        yield started


def send(live, data: bytes) -> None:
    status, _upload = live.api(live.token, "PUT", "/uploads/open/reads.txt", data)
    assert status in (200, 201)


def test_program_is_told_of_an_upload(live):
    receiver = Receiver()
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/account")
        page.get_by_role("link", name="Webhooks", exact=True).click()
        look(page)
        page.get_by_label("Address", exact=True).fill(receiver.url + "/omix/" + "long" * 60)
        page.get_by_label("What is it for?").fill("LIMS")
        page.get_by_role("button", name="Add the webhook").click()
        secret = page.locator(".copy-field code").inner_text()
        look(page)

        page.get_by_role("link", name="LIMS", exact=True).click()
        look(page)
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_role("row", name=re.compile("webhook.test.*204"))).to_be_visible()

        send(live, b"ACGT\n")
        until(lambda: any("reads.txt" in one.body.decode() for one in receiver.received))
        assert all(one.is_signed_with(secret) for one in receiver.received)

        receiver.usual = 500
        send(live, b"TTTT\n")
        until(lambda: page.reload() and "It answered 500" in page.content())
        look(page)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("You paused it.")).to_be_visible()
        look(page)
    receiver.stop()
