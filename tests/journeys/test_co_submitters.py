"""Two people and one dataset in a real browser: the owner invites an address without an account, its person registers
by the link of the mail, accepts, writes and sends into the dataset; the owner alone submits, and takes them off."""

import re

import pytest

from tests.chromium import chromium, expect, look
from tests.plugins.clients import needs
from tests.waiting import until

pytestmark = [needs("chromium"), pytest.mark.full]
INES, MEI, PASSWORD = "ines.together@example.org", "mei.together@example.org", "correct horse"
GIVEN = {"title": "Livers together", "description": "Counts.", "species": "Mus musculus", "access": "open"}


@pytest.fixture(scope="module")
def live(portal):
    portal.token = portal.add(INES)
    return portal


def link_of_mail(live, pattern: str) -> str:
    """The address in the newest mail to Mei that fits."""

    def newest() -> str | None:
        paths = sorted((live.instance / "outbox").glob("*.eml"), reverse=True)
        texts = (path.read_text() for path in paths)
        found = (re.search(pattern, text) for text in texts if f"To: {MEI}" in text)
        return next((match[0] for match in found if match), None)

    return until(newest, 20, explain=lambda: f"no mail to {MEI} holds {pattern}")


def invite(ines, ref: str) -> None:
    ines.goto(f"/deposit/{ref}")
    ines.get_by_role("link", name="People").click()
    expect(ines.get_by_role("heading", name="People", level=1)).to_be_visible()
    ines.get_by_label("Invite by e-mail address").fill("no address")
    ines.get_by_role("button", name="Invite").click()
    expect(ines.get_by_text("Nobody was invited.")).to_be_visible()
    look(ines)
    ines.get_by_label("Invite by e-mail address").fill(MEI)
    ines.get_by_role("button", name="Invite").click()
    expect(ines.get_by_text("invited, has not answered")).to_be_visible()
    look(ines)


def register(live, mei) -> None:
    mei.goto(link_of_mail(live, r"http\S+/register\?email=\S+"))
    expect(mei.get_by_label("E-mail")).to_have_value(MEI)
    mei.get_by_label("Name", exact=True).fill("Mei Tanaka")
    mei.get_by_label("Password", exact=True).fill(PASSWORD)
    mei.get_by_role("button", name="Register").click()
    mei.goto(link_of_mail(live, r"http\S+/verify/\S+"))
    mei.get_by_label("Password", exact=True).fill(PASSWORD)
    mei.get_by_role("main").get_by_role("button").first.click()
    mei.wait_for_url(lambda url: "/verify" not in url)


def accept(mei, ref: str) -> None:
    expect(mei.get_by_role("region", name="Invitation")).to_contain_text("Livers together")
    look(mei)
    mei.get_by_role("button", name="Accept").click()
    expect(mei.get_by_role("heading", name="Update OMIX Information")).to_be_visible()
    expect(mei.get_by_role("button", name="Submit")).to_have_count(0)
    look(mei)


def send(live, mei, ref: str, tmp_path) -> None:
    """A title and a file from the one who was invited."""
    mei.get_by_label("Dataset name").fill("Livers together, twelve")
    mei.get_by_role("button", name="Save", exact=True).last.click()
    expect(mei.get_by_text("Saved.", exact=True)).to_be_visible()
    (tmp_path / "counts.tsv").write_bytes(b"gene\t1\n")
    mei.goto(f"/deposit/{ref}/online")
    mei.locator("#uploader input[type=file]:not([webkitdirectory])").set_input_files(tmp_path / "counts.tsv")
    expect(mei.get_by_text("All of it arrived.")).to_be_visible(timeout=60_000)
    live.wait(live.token, ref, lambda dataset: [file["name"] for file in dataset["files"]] == ["counts.tsv"])
    mei.goto("/deposit")
    expect(mei.get_by_role("region", name="Shared with me")).to_contain_text("Livers together, twelve")
    look(mei)


@needs("chromium")
def test_owner_invites_somebody_who_edits_and_the_owner_submits(live, tmp_path):
    _status, made = live.api(live.token, "POST", "/datasets", GIVEN)
    ref = str(made["id"])
    with chromium(live.web) as browser:
        ines, mei = browser.sign_in(INES, PASSWORD), browser.page()
        invite(ines, ref)
        register(live, mei)
        accept(mei, ref)
        send(live, mei, ref, tmp_path)

        ines.goto(f"/deposit/{ref}")
        expect(ines.get_by_label("Dataset name")).to_have_value("Livers together, twelve")
        expect(ines.get_by_text("counts.tsv").first).to_be_visible()
        expect(ines.get_by_role("button", name="Submit").first).to_be_visible()
        ines.goto(f"/deposit/{ref}/history")
        expect(ines.get_by_text("Mei Tanaka").first).to_be_visible()

        ines.goto(f"/deposit/{ref}/people")
        ines.get_by_role("button", name=f"Remove {MEI}").click()
        expect(ines.get_by_text(f"{MEI} no longer edits this dataset.")).to_be_visible()
        mei.goto(f"/deposit/{ref}")
        expect(mei.get_by_label("Dataset name")).to_have_count(0)
        assert live.api(live.token, "GET", f"/datasets/{ref}")[1]["files"][0]["name"] == "counts.tsv"
