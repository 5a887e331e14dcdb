"""A reader who downloads by every way, and a paper's reviewer who may only look."""

import datetime
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.chromium import chromium, expect, is_same, look, mark
from tests.live import archived
from tests.plugins.clients import needs

pytestmark = pytest.mark.full

INES, RUTH, PASSWORD = "ines.reader@example.org", "ruth.reader@example.org", "correct horse"
NAMES = ("counts.tsv", "run1/a.bin", "run1/deep/b.bin", "run2/c.txt.gz")
TITLE = "Livers under stress"


@pytest.fixture(scope="module")
def live(portal):
    portal.token, portal.ruth = portal.add(INES), portal.add(RUTH, role="curator")
    return portal


def approved(live, folder: Path, **fields) -> dict:
    """A dataset whose files are archived and which a curator approved."""
    for name in NAMES:
        body = os.urandom(2_000_000 if name.endswith("b.bin") else 3000)
        live.api(live.token, "PUT", f"/uploads/open/{folder.name}/{name}", body)
    given = {
        "title": TITLE,
        "description": "Counts of twelve livers.",
        "species": "Mus musculus",
        "access": "open",
        "files": [{"name": f"{folder.name}/{name}"} for name in NAMES],
    } | fields
    made = live.api(live.token, "POST", "/datasets", given)[1]
    live.api(live.token, "POST", f"/datasets/{made['id']}/actions/submit", {})
    made = live.wait(live.token, made["id"], archived)
    answer = live.api(live.ruth, "POST", f"/datasets/{made['id']}/actions/approve", {"version": made["version"]})
    return answer[1]


def run(*words, cwd: Path) -> None:
    cwd.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stdout + done.stderr


def agree(folder: Path, sums: str) -> None:
    """`md5sum -c` over all of it, and nothing else came along."""
    (folder / "md5sum.txt").write_text(sums)
    run("md5sum", "--quiet", "-c", "md5sum.txt", cwd=folder)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "md5sum.txt",
        *(line.split("  ")[1] for line in sums.splitlines()),
    }


@needs("chromium", "wget", "curl", "lftp")
def test_every_way_of_downloading_brings_the_same_bytes(live, tmp_path):
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    made = approved(live, tmp_path / "study", release_date=today)
    made = live.wait(live.token, made["id"], lambda one: one["state"] == "released")
    accession = made["accession"]
    address = f"{live.web}/datasets/{accession}"
    with chromium(live.web) as browser:
        page = browser.page()
        sums = page.request.get(f"/datasets/{accession}/md5sum.txt").text()
        by_browser(page, tmp_path / "browser")
    agree(tmp_path / "browser", sums)

    run(
        "wget",
        "-q",
        "-r",
        "-np",
        "-nH",
        "--cut-dirs=3",
        "-A",
        "*.tsv,*.bin,*.gz",
        f"{address}/files",
        cwd=tmp_path / "wget",
    )
    agree(tmp_path / "wget", sums)

    for name in [line.split("  ")[1] for line in sums.splitlines()]:
        part = tmp_path / "curl" / name
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes((tmp_path / "wget" / name).read_bytes()[:1000])
        run("curl", "-sSf", "-C", "-", "-o", name, f"{address}/files/{name}", cwd=tmp_path / "curl")
    agree(tmp_path / "curl", sums)

    run("lftp", "-c", f"open ftp://{live.ftp_host}; mirror /OMIX/{accession} lftp", cwd=tmp_path)
    for sums_of_ours in ("md5sum.txt", "manifest-md5.txt"):
        (tmp_path / "lftp" / sums_of_ours).unlink()
    agree(tmp_path / "lftp", sums)


def by_browser(page, folder: Path) -> None:
    """Searched, opened, and each file by its own button."""
    page.goto("/")
    page.get_by_label("Words, species or accession").fill("twelve livers")
    page.get_by_role("button", name="Search").click()
    look(page)
    page.get_by_role("link", name=TITLE).click()
    look(page)
    for button in page.get_by_role("link", name=re.compile("^HTTPs")).all():
        name = button.inner_text().partition("HTTPs")[2].strip() or button.get_attribute("href").partition("/files/")[2]
        with page.expect_download() as started:
            button.click()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        started.value.save_as(folder / name)
    page.get_by_role("link", name="BibTeX").click()
    page.goto("/")
    page.get_by_label("Words, species or accession").fill("no such words")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing released matches")).to_be_visible()
    look(page)


@needs("chromium")
def test_reviewer_of_a_paper_looks_and_the_link_ends_with_the_release(live, tmp_path):
    made = approved(live, tmp_path / "paper", title="Kidneys under stress")
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        link, spare = make(page, made["accession"], "A journal"), make(page, made["accession"], "Another journal")
        reviewer = browser.page()
        reads(reviewer, link)
        page.get_by_role("button", name=re.compile("^Revoke")).first.click()
        expect(page.get_by_text("is revoked")).to_be_visible()
        gone = {reviewer.goto(address).status for address in (link, spare)}
        assert gone == {200, 404}
        left = link if reviewer.goto(link).status == 200 else spare
        page.goto("/deposit")
        page.locator("summary", has_text=f"More {made['accession']}").click()
        page.get_by_role("link", name=f"Release {made['accession']}").click()
        page.get_by_role("button", name="Release").click()
        live.wait(live.token, made["id"], lambda one: one["state"] == "released")
        assert reviewer.goto(left).status == 410
        look(reviewer)
        reviewer.get_by_role("link", name=re.compile(made["accession"])).first.click()
        expect(reviewer.get_by_role("heading", name="Kidneys under stress")).to_be_visible()


@needs("chromium")
def test_anonymised_link_keeps_the_approved_version_across_a_save(live, tmp_path):
    """The owner names an author after the approval: told on both pages, and shown to no reviewer."""
    made = approved(live, tmp_path / "blind", title="Brains under stress")
    ref, named = made["accession"], "Brains of Ines Okafor"
    with chromium(live.web) as browser:
        page, reviewer = browser.sign_in(INES, PASSWORD), browser.page()
        link = make(page, ref, "A journal")
        page.goto(f"/deposit/{ref}")
        page.locator("input[name=title]").fill(named)
        page.get_by_role("button", name="Save", exact=True).locator("visible=true").first.click()
        expect(page.get_by_text("these words name its authors")).to_be_visible()
        look(page)
        reviewer.goto(link)
        expect(reviewer.get_by_role("heading", name="Brains under stress")).to_be_visible()
        expect(reviewer.get_by_text("this is what was approved")).to_be_visible()
        expect(reviewer.get_by_text("Ines")).to_have_count(0)
        look(reviewer)
        page.goto(f"/deposit/{ref}/links")
        expect(page.get_by_role("heading", name="would still name its authors")).to_be_visible()
        look(page)


@needs("chromium")
def test_open_pages_lose_the_buttons_of_the_state_before(live, tmp_path):
    made = approved(live, tmp_path / "open", title="Spleens under stress")
    ref, soon = made["accession"], 60_000
    with chromium(live.web) as browser:
        page, ruth = browser.sign_in(INES, PASSWORD), browser.sign_in(RUTH, PASSWORD)
        page.goto(f"/deposit/{ref}")
        ruth.goto(f"/review/{ref}")
        mark(page)
        mark(ruth)
        expect(page.locator("#actions summary", has_text="More")).to_be_visible()
        expect(page.locator("#save").get_by_role("button", name="Save")).to_be_visible()
        expect(ruth.get_by_role("link", name=f"Release {ref}")).to_be_visible()
        live.api(live.token, "POST", f"/datasets/{ref}/actions/release", {})
        expect(page.get_by_text("It is released: its text and files stand.")).to_be_visible(timeout=soon)
        expect(page.locator("#actions summary")).to_have_count(0)
        expect(page.locator("#save, #new-file-tools, #uploader, #bulk-edit").locator("button, a, input")).to_have_count(
            0
        )
        expect(ruth.get_by_role("link", name=f"Unpublish {ref}")).to_be_visible(timeout=soon)
        expect(ruth.get_by_role("link", name=f"Release {ref}")).to_have_count(0)
        assert is_same(page) and is_same(ruth)
        look(page)
        look(ruth)


def make(page, accession: str, label: str) -> str:
    """By the page of sharing links; the address is told once."""
    page.goto(f"/deposit/{accession}/links")
    look(page)
    page.get_by_label(re.compile("^What is it for")).fill(label)
    page.get_by_role("button", name=re.compile("^Make")).click()
    expect(page.get_by_text("Do not print it in the paper")).to_be_visible()
    look(page)
    return re.search(r"https?://\S+/share/[\w-]+", page.content())[0]


def reads(page, link: str) -> None:
    """Names, sizes and digests; no author, and nothing to download."""
    page.goto(link)
    look(page)
    expect(page.get_by_text("Authors are hidden for review.")).to_be_visible()
    expect(page.get_by_text("counts.tsv").first).to_be_visible()
    assert "ines" not in page.content().lower()
    for address in page.get_by_role("main").get_by_role("link").all():
        assert "/files/" not in (address.get_attribute("href") or "")
    assert page.request.get(f"{link}/files/paper/counts.tsv").status == 403


def test_early_date_and_a_publication_are_asked_for_before_they_open(live, tmp_path):
    """Nothing opens by one press: the date moved to today, and the paper, each lead to a page that says what becomes
    public; going back changes nothing."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    by_date = approved(live, tmp_path / "date", title="Hearts under stress", release_date="2199-01-01")["accession"]
    by_paper = approved(live, tmp_path / "doi", title="Lungs under stress")["accession"]
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto(f"/deposit/{by_date}")
        page.locator("input[name=release_date]").fill(today)
        page.get_by_role("button", name="Save", exact=True).locator("visible=true").first.click()
        expect(page.get_by_text("Only a curator can take it back")).to_be_visible()
        look(page)
        page.get_by_role("button", name=re.compile("^(Back|Do not)")).or_(
            page.get_by_role("link", name=re.compile("^(Back|Do not)"))
        ).first.click()
        assert live.api(live.token, "GET", f"/datasets/{by_date}")[1]["state"] == "approved"

        page.goto(f"/deposit/{by_paper}/links")
        page.get_by_label("DOI or PubMed number").fill("10.1234/lungs")
        page.get_by_role("button", name="Record the publication").click()
        expect(page.get_by_text("Only a curator can take it back")).to_be_visible()
        look(page)
        page.locator("main").get_by_role("button", name=re.compile("Record|Release|Open")).first.click()
        expect(page.get_by_text("The publication is recorded.")).to_be_visible()
        live.wait(live.token, by_paper, lambda document: document["state"] == "released", within=60)
    with chromium(live.web) as browser:
        reader = browser.page()
        reader.goto(f"/datasets/{by_paper}")
        expect(reader.get_by_text("Lungs under stress").first).to_be_visible()
