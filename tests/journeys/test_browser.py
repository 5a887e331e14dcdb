"""The whole way in a real browser: a person registers, sends a file by FTP, declares and submits it, sees it turn
red and then green without reloading; a curator approves; a stranger finds, downloads and checks it."""

import ftplib
import hashlib
import io
import re

import pytest

from tests.chromium import chromium, expect, is_same, look, mark
from tests.live import Live
from tests.plugins.clients import needs
from tests.waiting import until

pytestmark = needs("chromium")
MEI, RUTH, PASSWORD = "mei.tanaka@example.org", "ruth@example.org", "correct horse"
DATA = b"gene\tcount\n" * 40_000
RED, GREEN = "MD5 Checked Failed", "Archived"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("browser") / "instance") as started:
        started.add(RUTH, role="curator")
        yield started


@pytest.fixture
def browser(live):
    with chromium(live.web) as found:
        yield found


def mail(live, words: str, *, within: float = 15) -> str:
    """The text of the mail that holds these words, once it is there."""

    def newest() -> str | None:
        paths = sorted((live.instance / "outbox").glob("*.eml"), reverse=True)
        return next((text for path in paths if words in (text := path.read_text())), None)

    return until(newest, within, explain=lambda: f"no mail holds {words!r}")


def register(live, page) -> None:
    page.goto("/register")
    look(page)
    page.get_by_label("Name", exact=True).fill("Mei Tanaka")
    page.get_by_label("E-mail").fill(MEI)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    look(page)
    page.goto(re.search(r"http\S+/verify/\S+", mail(live, MEI))[0])
    look(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url(lambda url: "/verify" not in url)


def send_by_ftp(live, page) -> None:
    """As the card on the page of uploads says."""
    page.goto("/area")
    look(page)
    card = page.get_by_role("main").inner_text()
    assert str(live.ftp.port) in card and MEI in card
    with ftplib.FTP() as client:
        client.connect(live.ftp.hostname, live.ftp.port)
        client.login(MEI, PASSWORD)
        assert client.storbinary("STOR /OMIX/counts.tsv", io.BytesIO(DATA)).startswith("226")
    expect(page.get_by_text("counts.tsv").first).to_be_visible()


def declare(page) -> str:
    """By the form; the MD5 is that of another file. Returns the address of the dataset."""
    page.goto("/deposit")
    look(page)
    page.get_by_role("link", name="New dataset").first.click()
    look(page)
    page.get_by_label("Dataset name").fill("Livers under stress")
    page.get_by_label("Brief description").fill("Counts of twelve livers.")
    page.get_by_label("Species", exact=True).fill("Mus musculus")
    page.get_by_role("button", name=re.compile("^(Save|Make)")).locator("visible=true").last.click()
    expect(page.get_by_role("heading", name="Update OMIX Information")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Add New File via FTP").click()
    page.wait_for_url(re.compile("/ftp"))
    look(page)
    page.get_by_role("checkbox", name=re.compile("counts.tsv")).check()
    page.get_by_role("button", name=re.compile("^Add")).locator("visible=true").first.click()
    page.wait_for_url(re.compile(r"/deposit/\d+(#|$)"))
    page.get_by_role("link", name=re.compile("^Edit")).locator("visible=true").last.click()
    look(page)
    page.get_by_label("MD5").first.fill(hashlib.md5(b"another").hexdigest())
    page.get_by_role("button", name="Save").locator("visible=true").first.click()
    page.wait_for_url(re.compile(r"/deposit/\d+(#|$)"))
    return page.url.partition("#")[0]


def submit(page) -> None:
    """Submit shows once more what is handed in."""
    page.get_by_role("button", name="Submit", exact=True).first.click()
    page.wait_for_url(re.compile("/actions/submit"))
    look(page)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/deposit/OMIX\d+"))


def turn_green(page) -> str:
    """Submitted, red, mended in place, green: one document all the while. Returns the accession."""
    submit(page)
    expect(page.get_by_text(RED).first).to_be_visible()
    mark(page)
    look(page)
    page.locator("input[name=declared_md5]").first.fill(hashlib.md5(DATA).hexdigest())
    page.get_by_role("button", name="Compare again").click()
    expect(page.locator("#files .pill, [id^=files] .pill").get_by_text(GREEN).first).to_be_visible()
    assert is_same(page), "the page was loaded again"
    look(page)
    return re.search(r"OMIX\d+", page.url)[0]


def approve(browser, accession: str) -> None:
    ruth = browser.sign_in(RUTH, PASSWORD)
    ruth.goto("/review")
    look(ruth)
    ruth.get_by_role("link", name=f"Review {accession}").click()
    look(ruth)
    ruth.get_by_role("button", name=re.compile("^Approve")).click()
    expect(ruth.get_by_text(f"{accession} is approved.")).to_be_visible()
    ruth.context.close()


def release(page, accession: str) -> None:
    """The submitter's page learns of the approval by itself; the release stands apart, is asked for on a page that says
    what becomes public, and is seen."""
    page.goto("/deposit")
    expect(page.locator("#datasets .pill").get_by_text("Approved", exact=True).first).to_be_visible()
    look(page)
    page.locator("summary", has_text=f"More {accession}").click()
    look(page)
    page.get_by_role("link", name=f"Release {accession}").click()
    expect(page.get_by_text("Only a curator can take it back")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text(f"{accession} opens as soon as")).to_be_visible()
    page.goto("/deposit?tab=published")
    mark(page)
    expect(page.locator("#datasets .pill").get_by_text("Released", exact=True).first).to_be_visible()
    assert is_same(page)
    look(page)


def download(browser, accession: str) -> None:
    page = browser.page()
    page.goto("/")
    page.get_by_label("Words, species or accession").fill("livers")
    page.get_by_role("button", name="Search").click()
    look(page)
    page.get_by_role("link", name="Livers under stress").click()
    look(page)
    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("HTTPs")).first.click()
    got = started.value.path().read_bytes()
    said = page.request.get(f"/datasets/{accession}/md5sum.txt").text()
    assert said == f"{hashlib.md5(got).hexdigest()}  counts.tsv\n" and got == DATA
    page.context.close()


def test_from_registration_to_download(live, browser):
    page = browser.page()
    register(live, page)
    send_by_ftp(live, page)
    declare(page)
    accession = turn_green(page)
    assert RED in mail(live, "counts.tsv") or "MD5" in mail(live, "counts.tsv")
    approve(browser, accession)
    release(page, accession)
    download(browser, accession)


def test_poll_with_nothing_new_is_204(live, browser):
    page = browser.sign_in(MEI, PASSWORD)
    page.goto("/area")
    with page.expect_response(lambda answer: "rev=" in answer.url) as polled:
        page.evaluate("dispatchEvent(new Event('online'))")
    assert polled.value.status == 204
    page.context.close()


@pytest.mark.full
def test_without_scripts_a_dataset_is_submitted_and_approved(live, browser):
    ines = "ines.okafor@example.org"
    live.add(ines)
    page = browser.sign_in(ines, PASSWORD, java_script_enabled=False)
    page.goto("/deposit/new")
    page.get_by_label("Dataset name").fill("Plain")
    page.get_by_label("Brief description").fill("Without scripts.")
    page.get_by_label("Species", exact=True).fill("Mus musculus")
    page.get_by_role("button", name=re.compile("^(Save|Make)")).locator("visible=true").last.click()
    page.get_by_role("button", name="Add More File").locator("visible=true").first.click()
    page.locator("input[name$=name]").last.fill("late.tsv")
    page.get_by_role("button", name="Submit", exact=True).first.click()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/deposit/OMIX\d+"))
    accession = re.search(r"OMIX\d+", page.url)[0]
    ruth = browser.sign_in(RUTH, PASSWORD, java_script_enabled=False)
    ruth.goto(f"/review/{accession}")
    ruth.get_by_role("button", name=re.compile("^Approve")).click()
    expect(ruth.get_by_text(f"{accession} is approved.").first).to_be_visible()
