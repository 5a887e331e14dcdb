"""A disk takes no manifest and the job gives up: the submitter and a curator read it on their pages, the curator mends
the disk and presses Run again, and the dataset opens by itself."""

import sqlite3
from contextlib import closing

import pytest

from tests.chromium import chromium, expect, look
from tests.live import Live
from tests.plugins.clients import needs
from tests.waiting import until

pytestmark = pytest.mark.full

RUTH, INES, PASSWORD = "ruth@failed.example.org", "ines@failed.example.org", "correct horse"
SAID = "The manifests of its files could not be written: Is a directory. Its release waits for this."


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("failed") / "instance") as started:
        yield started


def change(live: Live, statement: str) -> int:
    with closing(sqlite3.connect(live.instance / "portal.db", timeout=30)) as connection, connection:
        return connection.execute(statement).rowcount


@needs("chromium")
def test_dead_job_is_told_mended_and_what_waited_goes_on(live):
    ines, ruth = live.add(INES), live.add(RUTH, role="curator", center="The Archive")
    live.api(ines, "PUT", "/uploads/open/a.csv", b"x,y\n1,2\n")
    given = {"title": "Serum", "description": "D", "species": "S", "access": "open", "files": [{"name": "a.csv"}]}
    ref = str(live.api(ines, "POST", "/datasets", given)[1]["id"])
    live.api(ines, "POST", f"/datasets/{ref}/actions/submit", {})
    dataset = live.wait(ines, ref, lambda one: one["files"][0]["state"] == "archived")
    in_the_way = live.instance / "archive" / "open" / dataset["accession"] / "bagit.txt"
    until(in_the_way.exists)
    in_the_way.unlink()
    (in_the_way / "lost").mkdir(parents=True)
    for action in ("approve", "release"):
        live.api(ruth if action == "approve" else ines, "POST", f"/datasets/{ref}/actions/{action}", {})
    # Its last attempt: nobody waits a quarter of an hour for the fifth.
    last = "UPDATE job SET attempt = max_attempts - 1, not_before = 0 WHERE kind = 'bag' AND state = 'queued'"
    until(lambda: change(live, f"{last} AND error != ''"))
    told = live.wait(ines, ref, lambda one: one["failed_work"])
    assert [(work["kind"], work["cause"]) for work in told["failed_work"]] == [("bag", "Is a directory.")]
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto(f"/deposit/{ref}")
        expect(page.locator("#failed-work")).to_contain_text(f"{SAID} It goes on by itself when a curator runs job")
        look(page)
        curator = browser.sign_in(RUTH, PASSWORD)
        for address in ("/review", f"/review/{dataset['accession']}"):
            curator.goto(address)
            expect(curator.get_by_text(SAID).first).to_be_visible()
            look(curator)
        (in_the_way / "lost").rmdir()
        in_the_way.rmdir()
        curator.get_by_role("link", name="Failed jobs").click()
        curator.get_by_role("button", name="Run again").click()
        live.wait(ines, ref, lambda one: one["state"] == "released" and not one["failed_work"])
        # The submitter's page was not loaded again.
        expect(page.get_by_text(SAID)).to_have_count(0)
