"""The second dataset of the same person, in a real browser: its own README beside that of the first, a folder from a
Mac, and a newer file that waits for a word."""

import ftplib
import hashlib
import io
import re
from pathlib import Path

import pytest

from tests.chromium import chromium, expect, look
from tests.live import Live
from tests.plugins.clients import needs

pytestmark = [needs("chromium"), pytest.mark.full]
INES, PASSWORD = "ines.second@example.org", "correct horse battery"


@pytest.fixture
def live(tmp_path):
    with Live(tmp_path / "instance") as running:
        running.add(INES, password=PASSWORD)
        yield running


def new(page, title: str) -> str:
    """A new dataset by the form; its address."""
    page.goto("/deposit/new")
    page.get_by_label("Dataset name").fill(title)
    page.get_by_label("Brief description").fill("Counts of twelve livers.")
    page.get_by_label("Species", exact=True).fill("Mus musculus")
    page.get_by_role("button", name=re.compile("^(Save|Make)")).locator("visible=true").last.click()
    expect(page.get_by_role("heading", name="Update OMIX Information")).to_be_visible()
    page.wait_for_load_state("networkidle")
    return page.url.partition("#")[0]


def send(page, address: str, paths: list[Path] | Path, *, folder: bool = False) -> None:
    """By the drop zone of the dataset's own page; it says what is next once all has arrived."""
    page.goto(f"{address}/online")
    field = page.locator(
        "#uploader input[webkitdirectory]" if folder else "#uploader input[type=file]:not([webkitdirectory])"
    )
    field.set_input_files(paths)
    expect(page.get_by_text("All of it arrived.")).to_be_visible(timeout=60_000)


def test_second_dataset_has_its_own_files(live, tmp_path):
    contents = {"first": b"of the first", "second": b"of the second dataset"}
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        addresses = {}
        for title, content in contents.items():
            path = tmp_path / title / "README"
            path.parent.mkdir()
            path.write_bytes(content)
            addresses[title] = new(page, title)
            send(page, addresses[title], [path])
        for title, content in contents.items():
            page.goto(addresses[title])
            digest = hashlib.md5(content).hexdigest()
            expect(page.locator("#files").get_by_text("README").first).to_be_visible()
            page.goto(f"{addresses[title]}/files/1")
            expect(page.get_by_text(digest[:16]).first).to_be_visible()
            look(page)
        folder_from_a_mac(page, addresses["first"], tmp_path)
        newer_file_waits_for_a_word(live, page)


def folder_from_a_mac(page, address: str, tmp_path: Path) -> None:
    """What macOS lays beside the files is left out, and one line says so."""
    folder = tmp_path / "run1"
    folder.mkdir()
    for name in ("a.tsv", "b.tsv", "._a.tsv", ".DS_Store"):
        (folder / name).write_bytes(name.encode() * 10)
    send(page, address, folder, folder=True)
    expect(page.locator("#uploader .left-out")).to_contain_text("2")
    page.goto(address)
    for name in ("run1/a.tsv", "run1/b.tsv"):
        expect(page.locator("#files").get_by_text(name.split("/")[1]).first).to_be_visible()
    expect(page.locator("#files").get_by_text(".DS_Store")).to_have_count(0)


def put(live, content: bytes) -> None:
    with ftplib.FTP() as client:
        client.connect(live.ftp.hostname, live.ftp.port)
        client.login(INES, PASSWORD)
        assert client.storbinary("STOR /OMIX/counts.tsv", io.BytesIO(content)).startswith("226")


def newer_file_waits_for_a_word(live, page) -> None:
    """A file of the area is declared, another arrives under its name: the page offers it, and one press takes it."""
    put(live, b"old")
    address = new(page, "third")
    page.goto(f"{address}/ftp")
    page.get_by_role("checkbox", name=re.compile("counts.tsv")).check()
    page.get_by_role("button", name=re.compile("^Add")).locator("visible=true").first.click()
    page.wait_for_url(re.compile(r"/deposit/\d+(#|$)"))
    put(live, b"newer")
    expect(page.get_by_text("A newer file of this name arrived")).to_be_visible(timeout=20_000)
    look(page)
    page.get_by_role("link", name="A newer file of this name arrived: use it").click()
    look(page)
    page.get_by_role("button", name="Use it").click()
    page.wait_for_url(re.compile(r"/deposit/\d+#"))
    expect(page.get_by_text("A newer file of this name arrived")).to_have_count(0)
