"""An operator's afternoon in a real browser: invites somebody, gives a quota, tries the mail, runs the self-check, and
follows it all in the history; a submitter asks the connection doctor. The pages pass axe and fit on a phone."""

from __future__ import annotations

import csv
import ftplib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chromium import Chromium, chromium, expect, look
from tests.live import Live
from tests.plugins.clients import needs

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.full

RUTH, INES, NILS, PASSWORD = "ruth@example.org", "ines@example.org", "nils.berg@example.org", "correct horse"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("operator") / "instance") as started:
        started.add(INES, center="Northmere Institute")
        started.add(RUTH, role="curator", center="The Archive")
        yield started


@needs("chromium")
def test_operator_looks_after_people_work_and_machine(live):
    with chromium(live.web) as browser:
        ruth = browser.sign_in(RUTH, PASSWORD)
        visit(ruth, "/admin")
        invite(ruth, browser)
        give_quota(ruth)
        send_test_mail(ruth)
        check_itself(ruth, live)
        doctor(browser, live)
        promote(ruth)
        read_history(ruth)
    stop(live)


def visit(page: Page, address: str) -> None:
    page.goto(address)
    look(page)


def invite(ruth: Page, browser: Chromium) -> None:
    """The link is shown once; whoever holds it sets a password and is in."""
    visit(ruth, "/admin/people")
    ruth.get_by_role("link", name="Invite somebody").click()
    ruth.get_by_label("Name").fill("Nils Berg")
    ruth.get_by_label("E-mail").fill(NILS)
    ruth.get_by_label("Center").fill("Northmere Institute")
    ruth.get_by_role("button", name="Invite").click()
    address = ruth.locator("#reset-link").inner_text()
    look(ruth)
    nils = browser.page()
    nils.goto(address)
    nils.get_by_label("New password").fill("a brand new one")
    nils.get_by_role("button", name="Set").click()
    nils.wait_for_url(lambda url: "/reset" not in url)
    nils.goto("/admin")
    expect(nils.get_by_text("Only curators may open this page.")).to_be_visible()


def give_quota(ruth: Page) -> None:
    visit(ruth, "/admin/centers")
    ruth.get_by_role("link", name="Northmere Institute").click()
    ruth.get_by_label("Open realm, GB").fill("lots")
    ruth.get_by_role("button", name="Save").click()
    expect(ruth.get_by_text("This is not saved yet.")).to_be_visible()
    ruth.get_by_label("Open realm, GB").fill("5")
    ruth.get_by_role("button", name="Save").click()
    expect(ruth.get_by_text("0 B of 5.00 GB, 0 %")).to_be_visible()


def send_test_mail(ruth: Page) -> None:
    ruth.goto("/admin/outbox")
    ruth.get_by_role("button", name="Send test mail").click()
    expect(ruth.get_by_role("heading", name="Test mail from")).to_be_visible()
    visit(ruth, "/admin/jobs")


def check_itself(ruth: Page, live: Live) -> None:
    """Page and command say the same: it runs, and what a new site still lacks is a warning."""
    visit(ruth, "/admin/check")
    for words in ("The worker makes its rounds.", f"FTP answers at ftp://{live.ftp_host}.", "No mail server is set"):
        expect(ruth.get_by_text(words)).to_be_visible()
    said = live.omix("check", check=False)
    assert said.returncode == 1, said.stdout
    assert "OK   Worker: The worker makes its rounds." in said.stdout and "BAD" not in said.stdout
    assert live.omix("backup", str(live.instance / "copy.db")).returncode == 0
    ruth.get_by_role("link", name="Check again").click()
    expect(ruth.get_by_text("Backup of the database: 0 min ago.")).to_be_visible()


def doctor(browser: Chromium, live: Live) -> None:
    """What an FTP client runs into stands on the page while one looks at it."""
    ines = browser.sign_in(INES, PASSWORD)
    ines.goto("/help/doctor")
    expect(ines.get_by_text("Nothing went wrong")).to_be_visible()
    client = ftplib.FTP(timeout=20)
    client.connect(live.ftp.hostname, live.ftp.port)
    with pytest.raises(ftplib.error_perm):
        client.login(INES, "not this one")
    client.login(INES, PASSWORD)
    with pytest.raises(ftplib.error_perm):
        client.sendcmd("PORT 10,0,0,4,200,10")
    client.close()
    expect(ines.get_by_text("10.0.0.4:51210")).to_be_visible()
    expect(ines.get_by_text("Somebody tried to sign in as you with a wrong password.")).to_be_visible()
    look(ines)


def promote(ruth: Page) -> None:
    """Nils becomes a curator; the page of a person shows what was done."""
    ruth.goto("/admin/people?text=nils")
    ruth.get_by_role("link", name="Nils Berg").click()
    look(ruth)
    ruth.get_by_label("Curator").check()
    ruth.get_by_role("button", name="Save").click()
    expect(ruth.get_by_text("account.role")).to_be_visible()


def read_history(ruth: Page) -> None:
    """Filtered on the page, and the same as a file."""
    visit(ruth, "/admin/events")
    ruth.get_by_label("Person, by e-mail").fill(NILS)
    ruth.get_by_label("Action").select_option("account.role")
    ruth.get_by_role("button", name="Apply").click()
    expect(ruth.locator("tbody tr")).to_have_count(1)
    with ruth.expect_download() as download:
        ruth.get_by_role("link", name="CSV of all that is found").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["person"], row["account"]) == (RUTH, NILS) and '"role": "curator"' in row["after"]


def stop(live: Live) -> None:
    """The command tells by its exit code that nothing answers."""
    live.stop()
    said = live.omix("check", "--quiet", check=False)
    assert said.returncode == 2 and "FTP does not answer" in said.stdout and "OK " not in said.stdout
