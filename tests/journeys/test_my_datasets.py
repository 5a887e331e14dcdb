"""My datasets in a real browser: searched, filtered and sorted, with and without scripts, from none to a long list."""

import re

import pytest

from tests.chromium import chromium, expect, look
from tests.live import Live
from tests.plugins.clients import needs

pytestmark = [needs("chromium"), pytest.mark.full]
INES, PASSWORD = "ines.list@example.org", "correct horse battery"
TITLES = ("beta livers", "Alpha kidneys", "Zeta livers")


@pytest.fixture
def live(tmp_path):
    with Live(tmp_path / "instance") as running:
        running.token = running.add(INES, password=PASSWORD)
        yield running


def make(live, *titles: str) -> None:
    for title in titles:
        fields = {"title": title, "access": "open", "files": [{"name": f"run/{title.replace(' ', '_')}.tsv"}]}
        assert live.api(live.token, "POST", "/datasets", fields)[0] == 201


def names(page):
    return page.locator("#datasets .cell-title")


def press_show(page, address: str) -> None:
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile(address))


def test_list_is_searched_filtered_and_sorted(live):
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/deposit")
        expect(page.get_by_text("You have not deposited anything yet")).to_be_visible()
        look(page)
        make(live, *TITLES)
        expect(names(page)).to_have_count(3)  # the open page learns of them by itself
        page.goto("/deposit")
        page.get_by_label("Search").fill("livers")
        page.get_by_label("Sort by").select_option("Title")
        press_show(page, "q=livers")
        expect(names(page)).to_have_text(["beta livers", "Zeta livers"])
        make(live, "More livers", "Spleens")
        expect(names(page)).to_have_text(["beta livers", "More livers", "Zeta livers"])  # and keeps its filter
        look(page)
        page.get_by_label("Show", exact=True).select_option("What needs me")
        press_show(page, "needs=1")
        expect(page.get_by_text("No dataset fits")).to_be_visible()
        look(page)
        page.get_by_role("link", name="Clear").click()
        expect(names(page)).to_have_count(5)
        dangerous_action_asks_first(page)


def dangerous_action_asks_first(page) -> None:
    """Discard is not among the everyday links: it is found in the menu, and leads to a page that asks."""
    row = page.locator("#datasets tr", has_text="Spleens")
    discard = row.get_by_role("link", name=re.compile("^Discard"))
    expect(discard).to_be_hidden()
    row.get_by_text("More", exact=False).first.click()
    expect(discard).to_be_visible()
    discard.click()
    page.wait_for_url(re.compile("/discard"))
    page.goto("/deposit")
    expect(names(page)).to_have_count(5)


def test_list_works_without_scripts(live):
    make(live, *TITLES)
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD, java_script_enabled=False)
        page.goto("/deposit")
        page.get_by_label("Search").fill("alpha_kidneys.tsv")
        press_show(page, "q=alpha_kidneys")
        expect(names(page)).to_have_text(["Alpha kidneys"])
