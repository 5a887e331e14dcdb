"""A curator from an empty archive on: queue, look, remark, return; the submitter answers and mends; approved. In a real
browser, each page in light and dark through axe, and at 380 px without sideways scroll."""

import pytest

from tests.chromium import chromium, expect, look
from tests.live import Live, archived
from tests.plugins.clients import needs

pytestmark = pytest.mark.full

INES, RUTH, PASSWORD = "ines@example.org", "ruth@example.org", "correct horse"
GIVEN = {
    "title": "Kidney organoids under ischaemia",
    "species": "Mus musculus",
    "access": "open",
    "description": "Counts of 24 organoids, before and after.",
    "files": [{"name": "counts.tsv"}],
}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("review") / "instance") as started:
        started.tokens = {INES: started.add(INES), RUTH: started.add(RUTH, role="curator")}
        yield started


@pytest.fixture
def enter(live):
    """A browser of its own for a person, signed in."""
    with chromium(live.web) as browser:
        yield lambda email: browser.sign_in(email, PASSWORD)


def look_well(page) -> None:
    """The page as it is when it is loaded anew."""
    page.reload()
    look(page)


def mails(live) -> str:
    return "\n".join(path.read_text() for path in sorted((live.instance / "outbox").glob("*.eml")))


@needs("chromium")
def test_curator_and_submitter_come_to_an_approval(live, enter):
    ruth, ines = enter(RUTH), enter(INES)
    ruth.goto("/review")
    expect(ruth.get_by_text("Nothing waits for you")).to_be_visible()
    look_well(ruth)

    hand_in(live)
    ask_and_return(ruth)
    answer(ines)
    call(live, "PATCH", "/datasets/OMIX000001", {"description": f"{GIVEN['description']} Northmere."})
    call(live, "POST", "/datasets/OMIX000001/actions/submit", {"note": "Mended."})
    approve(live, ruth)

    sent = "\n".join(path.read_text() for path in sorted((live.instance / "outbox").glob("*.eml")))
    for words in ("Which tissue bank?", "See what I asked.", "Northmere Tissue Bank.", "Mended.", "Well described."):
        assert words in sent
    assert "Ask the board" not in sent


def call(live, *words):
    status, found = live.api(live.tokens[INES], *words)
    assert status < 300, found
    return found


def hand_in(live) -> None:
    call(live, "PUT", "/uploads/open/counts.tsv", b"gene\t1\n" * 100)
    made = call(live, "POST", "/datasets", GIVEN)
    call(live, "POST", f"/datasets/{made['id']}/actions/submit", {})
    live.wait(live.tokens[INES], made["id"], archived)


def ask_and_return(ruth) -> None:
    """A remark on a section and a private one; what was typed as the decision's own remark stays meanwhile."""
    ruth.goto("/review")
    look_well(ruth)
    ruth.get_by_role("link", name="Review OMIX000001").click()
    expect(ruth.get_by_text("You look at it for the first time.")).to_be_visible()
    expect(ruth.get_by_text("The description is very short")).to_be_visible()
    ruth.get_by_label("Remark to the submitter").fill("See what I asked.")
    ruth.get_by_role("link", name="Remark on Data Info").click()
    expect(ruth.locator("#f-about")).to_have_value("info")
    for text, private in (("Which tissue bank?", False), ("Ask the board about this one.", True)):
        ruth.get_by_label("Remark", exact=True).fill(text)
        ruth.get_by_label("For curators only").set_checked(private)
        ruth.get_by_role("button", name="Send remark").click()
        expect(ruth.locator("#remarks")).to_contain_text(text)
    ruth.get_by_role("button", name="Return", exact=True).click()
    expect(ruth.get_by_text("OMIX000001 is returned.")).to_be_visible()


def answer(ines) -> None:
    ines.goto("/deposit/OMIX000001")
    expect(ines.get_by_text("1 open remark: read and answer")).to_be_visible()
    assert "Ask the board" not in ines.content()
    look_well(ines)
    ines.get_by_text("Answer the remark on Data Info").click()
    ines.get_by_label("Answer to Ruth on Data Info").fill("Northmere Tissue Bank.")
    ines.get_by_role("button", name="Send answer").first.click()
    expect(ines.locator("#remarks")).to_contain_text("Northmere Tissue Bank.")
    ines.get_by_role("button", name="Mark as done the remark on Data Info").click()
    expect(ines.locator("#remarks")).to_contain_text("Done")


def approve(live, ruth) -> None:
    """What is new is marked; a version that came meanwhile is said by itself, and shown instead of approved."""
    ruth.goto("/review/OMIX000001")
    expect(ruth.locator("#f-description ins")).to_contain_text("Northmere.")
    look_well(ruth)
    call(live, "PATCH", "/datasets/OMIX000001", {"species": "Danio rerio"})
    ruth.evaluate("dispatchEvent(new Event('online'))")  # what polls looks at once
    expect(ruth.get_by_text("The submitter changed it: version 3 now.")).to_be_visible()
    ruth.get_by_label("Remark to the submitter").fill("Well described.")
    ruth.get_by_role("button", name="See version 3 first").click()
    expect(ruth.get_by_text("You looked at version 2; the submitter changed it since")).to_be_visible()
    expect(ruth.locator("#f-species")).to_have_text("Mus musculus Danio rerio")
    expect(ruth.get_by_label("Remark to the submitter")).to_have_value("Well described.")
    ruth.get_by_role("button", name="Approve version 3").click()
    expect(ruth.get_by_text("OMIX000001 is approved.")).to_be_visible()
