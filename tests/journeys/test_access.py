"""Access to controlled data in a real browser, from the landing page to the last byte: asked, asked back, granted,
fetched by HTTP and FTP, revoked while it runs. Each page in light and dark through axe, and at 380 px."""

from __future__ import annotations

import ftplib
import io
import json
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ftp import transfers
from portal.web.catalogue import active_downloads
from tests.chromium import chromium, expect, look
from tests.live import archived
from tests.plugins.clients import needs

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.full

INES, MEI, RUTH, PASSWORD = (
    "ines.access@example.org",
    "mei.access@example.org",
    "ruth.access@example.org",
    "correct horse",
)
CANARY = b"canary-bytes-3391 of a donor\n"
LARGE = CANARY * (48 << 20 >> 5)
GIVEN = {
    "title": "Liver eQTL cohort",
    "species": "Human (Homo sapiens)",
    "access": "controlled",
    "description": "Imputed genotypes and bulk liver expression of consenting donors.",
}


@pytest.fixture(scope="module")
def live(portal):
    portal.tokens = {
        INES: portal.add(INES),
        MEI: portal.add(MEI, center="HL"),
        RUTH: portal.add(RUTH, role="curator"),
    }
    return portal


def call(live, who: str, *words):
    status, found = live.api(live.tokens[who], *words)
    assert status < 300, found
    return found


def deposit(live) -> str:
    """A released controlled dataset with a large and a small file; its accession."""
    for name, data in (("chr1.vcf", LARGE), ("covariates.tsv", CANARY)):
        call(live, INES, "PUT", f"/uploads/protected/{name}", data)
    made = call(live, INES, "POST", "/datasets", GIVEN | {"files": [{"name": "chr1.vcf"}, {"name": "covariates.tsv"}]})
    call(live, INES, "POST", f"/datasets/{made['id']}/actions/submit", {})
    found = live.wait(live.tokens[INES], made["id"], archived)
    call(live, RUTH, "POST", f"/datasets/{found['accession']}/actions/approve", {"version": found["version"]})
    call(live, INES, "POST", f"/datasets/{made['id']}/actions/release", {})
    live.wait(live.tokens[INES], made["id"], lambda dataset: dataset["state"] == "released", within=60)
    return found["accession"]


@needs("chromium")
def test_requester_and_decider_from_the_first_word_to_the_last_byte(live, tmp_path):
    accession = deposit(live)
    with chromium(live.web) as browsers:
        mei, ines = browsers.sign_in(MEI, PASSWORD), browsers.sign_in(INES, PASSWORD)
        set_terms(ines, accession)
        ask(mei, accession, tmp_path)
        ask_back(ines)
        answer(mei)
        approve(ines)
        fetch(live, mei, accession, tmp_path)
        cut_by_revocation(live, ines, accession)
        look_back(mei, ines)
        assert mei.request.get(f"/datasets/{accession}/files/covariates.tsv").status == 403
    sent = "\n".join(path.read_text() for path in sorted((live.instance / "outbox").glob("*.eml")))
    for words in (
        "Which arrays were used?",
        "The old ones.",
        "Welcome.",
        "The study is over.",
        f"/granted/{accession}/",
    ):
        assert words in sent
    assert "Ask the board" not in sent


def set_terms(ines: Page, accession: str) -> None:
    ines.goto(f"/datasets/{accession}")
    ines.get_by_role("link", name="Terms and deciders").click()
    ines.get_by_label("Non-commercial use only DUO:0000046").check()
    ines.locator("#f-questions").fill("Which disease do you work on?")
    look(ines)
    ines.get_by_role("button", name="Save").click()
    expect(ines.get_by_text("Version 1 of the terms holds from now on.")).to_be_visible()


def ask(mei: Page, accession: str, folder: Path) -> None:
    """Typed, left, found again, refused for what is missing, sent."""
    mei.goto(f"/datasets/{accession}")
    look(mei)
    mei.get_by_role("link", name="Ask for access", exact=True).last.click()
    mei.wait_for_url("**/request")
    mei.wait_for_load_state()
    mei.locator("#f-purpose").fill("Which variants change expression in the fatty liver?")
    mei.locator("#f-institution").fill("Harbour Lab")
    mei.locator("#f-institution").blur()
    expect(mei.locator(".save-status", has_text="Saved")).to_have_count(2)
    mei.goto("/requests")
    mei.locator("#request-1").get_by_role("link", name="Go on").click()
    expect(mei.locator("#f-purpose")).to_have_value("Which variants change expression in the fatty liver?")
    letter = folder / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7 To whom it may concern")
    mei.locator("#f-letter-file").set_input_files(letter)
    mei.get_by_role("button", name="Send the request").click()
    expect(mei.get_by_text("Name the person who answers for the work.").first).to_be_visible()
    look(mei)
    mei.locator("#f-principal_investigator").fill("Prof. Hana Sato")
    mei.locator("#f-answer_a").fill("Steatosis")
    mei.locator("#f-typed-name").fill(mei.locator("#f-typed-name-h").inner_text().split(": ")[1].split(". You")[0])
    mei.get_by_role("button", name="Send the request").click()
    expect(mei.get_by_text("Your request is sent.")).to_be_visible()


def ask_back(ines: Page) -> None:
    ines.goto("/requests")
    look(ines)
    ines.locator("#request-1").get_by_role("link", name="Decide").click()
    expect(ines.get_by_text("Steatosis")).to_be_visible()
    look(ines)
    ines.locator("#f-text").fill("Ask the board about this one.")
    ines.get_by_role("button", name="Send", exact=True).click()
    expect(ines.get_by_text("Deciders only", exact=True)).to_be_visible()
    ines.locator("#f-note").fill("Which arrays were used?")
    ines.get_by_role("button", name="Ask back").click()
    expect(ines.get_by_text("asked back: it waits for the requester")).to_be_visible()


def answer(mei: Page) -> None:
    mei.reload()
    assert "Ask the board" not in mei.content()
    expect(mei.get_by_text("Which arrays were used?")).to_be_visible()
    look(mei)
    mei.locator("#f-note").fill("The old ones.")
    mei.get_by_role("button", name="Answer", exact=True).click()
    expect(mei.get_by_text("The request is answered.")).to_be_visible()


def approve(ines: Page) -> None:
    ines.reload()
    expect(ines.get_by_text("The old ones.")).to_be_visible()
    ines.locator("#f-note").fill("Welcome.")
    ines.get_by_role("button", name="Approve", exact=True).click()
    expect(ines.get_by_text("The request is granted.")).to_be_visible()


def fetch(live, mei: Page, accession: str, folder: Path) -> None:
    """By the link of the page, and from one's own home by FTP; the statement as a file."""
    mei.reload()
    look(mei)
    with mei.expect_download() as kept:
        mei.get_by_role("link", name="Signed statement").click()
    said = json.loads(Path(kept.value.path()).read_text())
    assert said["statement"]["dataset"] == accession and said["signature"]
    mei.get_by_role("link", name="HTTP Download").click()
    with mei.expect_download() as kept:
        mei.get_by_role("link", name="HTTPs covariates.tsv").click()
    assert Path(kept.value.path()).read_bytes() == CANARY
    mei.goto(f"/datasets/{accession}")
    expect(mei.get_by_role("heading", name="Your access")).to_be_visible()
    look(mei)
    held = io.BytesIO()
    with ftplib.FTP(timeout=30) as client:
        client.connect(live.ftp.hostname, live.ftp.port)
        client.login(MEI, PASSWORD)
        client.retrbinary(f"RETR /granted/{accession}/covariates.tsv", held.write)
    assert held.getvalue() == CANARY


class Slow(threading.Thread):
    """A reader by HTTP who takes a little at a time; `ended` says that the line was cut."""

    def __init__(self, live, accession: str) -> None:
        super().__init__(daemon=True)
        self.got, self.ended = 0, False
        host, port = live.web.removeprefix("http://").split(":")
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self.sock.settimeout(90)
        self.sock.connect((host, int(port)))
        self.sock.sendall(
            f"GET /datasets/{accession}/files/chr1.vcf HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {live.tokens[MEI]}\r\n\r\n".encode()
        )
        self.got = len(self.sock.recv(1 << 16))

    def run(self) -> None:
        """Reads on slowly until the line is cut."""
        try:
            while data := self.sock.recv(4096):
                self.got += len(data)
                time.sleep(0.02)
        except OSError:
            pass
        self.ended = True


def cut_by_revocation(live, ines: Page, accession: str) -> None:
    """A slow reader by HTTP and one by FTP: both are cut within a minute, far from the end of the file."""
    reader = Slow(live, accession)
    client = ftplib.FTP(timeout=90)
    client.connect(live.ftp.hostname, live.ftp.port)
    client.login(MEI, PASSWORD)
    client.voidcmd("TYPE I")
    data = client.transfercmd(f"RETR /granted/{accession}/chr1.vcf")
    data.recv(1000)
    reader.start()
    ines.reload()
    ines.locator("#f-note").fill("The study is over.")
    ines.get_by_role("button", name="Revoke", exact=True).click()
    expect(ines.get_by_text("The request is revoked.")).to_be_visible()
    assert client.getmultiline().startswith("426")
    assert transfers.RECHECK <= 60, "both are asked again within a minute"
    data.close()
    client.close()
    reader.join(60)
    assert reader.ended and active_downloads.PERIOD <= 60
    assert reader.got < len(LARGE) // 2, "most of it never left"
    reader.sock.close()


def look_back(mei: Page, ines: Page) -> None:
    mei.goto("/requests")
    mei.locator("#request-1").get_by_role("link", name="View").click()
    expect(mei.get_by_text("The study is over.")).to_be_visible()
    ines.reload()
    expect(ines.get_by_text("broken off").first).to_be_visible()
    look(ines)
    with ines.expect_download() as kept:
        ines.get_by_role("link", name="CSV", exact=True).click()
    told = Path(kept.value.path()).read_text()
    assert "covariates.tsv" in told and ",ftp," in told and ",http," in told and "127.0.0.1" in told
