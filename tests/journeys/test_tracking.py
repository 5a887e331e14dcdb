"""Tracking and my uploads in a real browser: colours change by themselves, what is ticked stays ticked, and what the
filter shows is taken home."""

import hashlib
import http.client
from urllib.parse import urlsplit

import pytest

from tests.chromium import chromium, expect, is_same, look, mark
from tests.plugins.clients import needs

pytestmark = [needs("chromium"), pytest.mark.full]
INES, PASSWORD = "ines.tracking@example.org", "correct horse"
GOOD, BAD = b"gene\tcount\nTP53\t7\n", b"gene\tcount\nTP53\t8\n"


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture(scope="module")
def live(portal):
    portal.token = portal.add(INES)
    return portal


@pytest.fixture
def submitted(live):
    """A submitted dataset of two files, neither of which has come; the MD5 of the second is declared wrongly."""
    given = {
        "title": "Counts",
        "description": "Of genes.",
        "species": "Mus musculus",
        "access": "open",
        "files": [{"name": "a.tsv", "md5": md5(GOOD)}, {"name": "b.tsv", "md5": md5(GOOD)}],
    }
    ref = live.api(live.token, "POST", "/datasets", given)[1]["id"]
    return live.api(live.token, "POST", f"/datasets/{ref}/actions/submit", {})[1]["accession"]


def send(live, name: str, data: bytes) -> None:
    assert live.api(live.token, "PUT", f"/uploads/open/{name}", data)[0] == 201


def row(page, name: str):
    return page.locator("tbody tr", has_text=name).first


def test_colours_change_while_one_looks(live, submitted):
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/tracking?state=all")
        mark(page)
        expect(page.get_by_text("No file of these days is like that")).to_be_visible()
        look(page)
        files_turn_green_and_red(live, page, submitted)
        bytes_are_seen_arriving(live, page)
        look(page)
        problems_are_found_and_taken_home(page)
        components_follow(live, page, submitted)


def files_turn_green_and_red(live, page, submitted) -> None:
    send(live, "a.tsv", GOOD)
    expect(row(page, "a.tsv").locator(".pill.t-ok")).to_contain_text("Archived")
    send(live, "b.tsv", BAD)
    expect(row(page, "b.tsv").locator(".pill.t-bad")).to_contain_text("MD5 Checked Failed")
    expect(row(page, "b.tsv")).to_contain_text("md5_mismatch")
    mended = live.api(live.token, "PATCH", f"/datasets/{submitted}/files/2", {"md5": md5(BAD)})
    assert mended[0] == 200
    expect(row(page, "b.tsv").locator(".pill.t-ok")).to_contain_text("Archived")
    assert is_same(page)


def bytes_are_seen_arriving(live, page) -> None:
    size, part = 8 << 20, bytes(2 << 20)
    line = http.client.HTTPConnection(urlsplit(live.web).netloc, timeout=60)
    line.putrequest("PUT", "/api/v1/uploads/open/slow.bin")
    line.putheader("Authorization", f"Bearer {live.token}")
    line.putheader("Content-Length", str(size))
    line.endheaders()
    line.send(part)
    expect(row(page, "slow.bin").locator(".pill")).to_contain_text("Receiving")
    for _ in range(3):
        line.send(part)
    assert line.getresponse().status == 201
    line.close()
    expect(row(page, "slow.bin").locator(".pill")).not_to_contain_text("Receiving")
    assert is_same(page)


def problems_are_found_and_taken_home(page) -> None:
    page.get_by_label("Name, folder or upload").fill("slow")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Upload, received").click()
    page.wait_for_url("**sort=arrived**")
    with page.expect_download() as download:
        page.get_by_role("link", name="TSV").click()
    lines = download.value.path().read_text().splitlines()
    assert [line.split("\t")[3] for line in lines] == ["file_name", "slow.bin"]
    page.get_by_label("Only problems").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#tracking")).not_to_contain_text("a.tsv")


def components_follow(live, page, submitted) -> None:
    page.get_by_role("link", name="Submissions-Attention").click()
    expect(row(page, submitted)).to_contain_text("2 archived")
    look(page)
    page.get_by_role("link", name=submitted, exact=True).first.click()
    expect(page.get_by_role("heading", name="Components")).to_be_visible()
    expect(page.get_by_text("2 files declared, 2 arrived, 0 missing")).to_be_visible()
    look(page)


@pytest.mark.soak
def test_ticks_stay_while_files_arrive(live):
    for name in ("run1/one.txt", "run1/two.txt"):
        send(live, name, name.encode())
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/area?folder=/OMIX/run1")
        mark(page)
        page.get_by_label("Tick run1/one.txt").check()
        look(page)
        send(live, "run1/three.txt", b"three")
        expect(row(page, "three.txt")).to_be_visible()
        assert is_same(page)
        expect(page.get_by_label("Tick run1/one.txt")).to_be_checked()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_role("heading", name="Copy 1 upload")).to_be_visible()
        look(page)
        page.get_by_label("Into folder").fill("/OMIX-protected/safe")
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_text("1 file is copied.")).to_be_visible()
        page.get_by_label("Folder", exact=True).fill("/OMIX-protected")
        page.get_by_role("button", name="Show folder").click()
        page.get_by_role("link", name="safe/", exact=True).click()
        page.get_by_role("link", name="Rename, copy or delete this folder").click()
        look(page)
        page.get_by_label("Name", exact=True).fill("/OMIX/back")
        page.get_by_role("button", name="Rename", exact=True).click()
        expect(page.get_by_text("1 file is moved to /OMIX/back.")).to_be_visible()
    found = live.api(live.token, "GET", "/area?path=/OMIX/back")[1]["items"]
    assert [item["path"] for item in found] == ["/OMIX/back/one.txt"]
