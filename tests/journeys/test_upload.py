"""Files through a real browser: dropped, digested beside the page, cut off by a killed server and a closed page, and
gone on with to the right digest."""

import hashlib
import os

import pytest

from tests.chromium import chromium, expect, look
from tests.faults.test_door_killed import kill_all
from tests.live import Live
from tests.plugins.clients import needs
from tests.waiting import until

pytestmark = [needs("chromium"), pytest.mark.full]
INES, PASSWORD = "ines@example.org", "correct horse"
SIZE = 300 << 20


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("upload") / "instance") as started:
        started.token = started.add(INES)
        yield started


@pytest.fixture
def draft(live):
    return live.api(live.token, "POST", "/datasets", {"title": "Livers", "access": "open"})[1]["id"]


@pytest.fixture
def large(tmp_path):
    path, digest = tmp_path / "large.bin", hashlib.md5(usedforsecurity=False)
    with path.open("wb") as file:
        for _ in range(SIZE >> 20):
            piece = os.urandom(1 << 20)
            digest.update(piece)
            file.write(piece)
    return path, digest.hexdigest()


def uploads(live, name):
    return live.api(live.token, "GET", f"/uploads?name={name}")[1]["items"]


def test_files_are_sent_digested_and_declared(live, draft, tmp_path):
    for name in ("counts.tsv", "two words.txt"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto(f"/deposit/{draft}")
        expect(page.get_by_role("heading", name="Send files here")).to_be_visible()
        look(page)
        page.locator("#uploader input[type=file]").first.set_input_files(
            [tmp_path / "counts.tsv", tmp_path / "two words.txt"]
        )
        expect(page.locator("#uploader li", has_text="counts.tsv")).to_contain_text("arrived whole")
        odd = page.locator("#uploader li", has_text="two words.txt")
        expect(odd.get_by_role("textbox")).to_have_value("two_words.txt")
        look(page)
        page.get_by_label("Brief description").fill("Typed while files are sent.")
        odd.get_by_role("button", name="Send under this name").click()
        expect(odd).to_contain_text("arrived whole")
        expect(page.locator("#file-2")).to_contain_text("two_words.txt")
        expect(page.get_by_label("Brief description")).to_have_value("Typed while files are sent.")
    files = live.api(live.token, "GET", f"/datasets/{draft}")[1]["files"]
    assert {(file["name"], file["state"], file["declared_md5"]) for file in files} == {
        (name, "received", hashlib.md5(sent.encode() * 1000).hexdigest())
        for name, sent in (("counts.tsv", "counts.tsv"), ("two_words.txt", "two words.txt"))
    }


def test_upload_goes_on_after_the_page_and_the_server_died(live, draft, large):
    path, digest = large
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        client = page.context.new_cdp_session(page)
        client.send("Network.enable")
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 30 << 20}
        client.send("Network.emulateNetworkConditions", slow)
        page.goto(f"/deposit/{draft}/online")
        page.locator("#uploader input[type=file]").first.set_input_files(path)
        until(lambda: any(row["size"] > 40 << 20 for row in uploads(live, "large.bin")))
        state = page.context.storage_state()
        page.close(run_before_unload=False)
        assert state["origins"], "what was under way is remembered in the browser"
        kill_web(live)
        browser.faults.clear()
        page = browser.page(storage_state=state)
        page.goto(f"/deposit/{draft}/online")
        expect(page.locator("#uploader .unfinished")).to_contain_text("large.bin")
        kept = uploads(live, "large.bin")[0]
        assert kept["state"] == "incomplete" and kept["size"] > 30 << 20
        page.locator("#uploader input[type=file]").first.set_input_files(path)
        expect(page.locator("#uploader li")).to_contain_text("arrived whole", timeout=60_000)
    rows = uploads(live, "large.bin")
    assert len(rows) == 1, [(r["id"], r["state"], r["size"], r["replaced_by"]) for r in rows]
    row = rows[0]
    assert (row["state"], row["size"], row["md5"], row["id"]) == ("received", SIZE, digest, kept["id"])
    file = live.api(live.token, "GET", f"/datasets/{draft}")[1]["files"][0]
    assert (file["name"], file["declared_md5"], file["state"]) == ("large.bin", digest, "received")


def kill_web(live):
    """SIGKILL for `omix up` and all of its parts, then a new start at the same address."""
    port = live.web.rpartition(":")[2]
    kill_all(live)
    live.start(OMIX_PORT=port)
