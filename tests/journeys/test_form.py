"""The form in a real browser: fields save themselves, and neither a second window, the back button, an expired session
nor a refused field takes a typed word away."""

import re

import pytest

from tests.chromium import chromium, expect, is_same, look, mark
from tests.plugins.clients import needs
from tests.waiting import until

pytestmark = [needs("chromium"), pytest.mark.full]
INES, PASSWORD = "ines.form@example.org", "correct horse"


@pytest.fixture(scope="module")
def live(portal):
    portal.token = portal.add(INES)
    return portal


def saved(page, label):
    """The small line below a field."""
    return page.locator(".field", has=page.get_by_label(re.compile(f"^{label}"))).locator(".save-status")


def test_no_typed_word_is_lost(live):
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/deposit/new")
        mark(page)
        page.get_by_label("Dataset name").fill("Livers under stress")
        page.get_by_label("Brief description").fill("Counts of twelve livers.")
        expect(saved(page, "Dataset name")).to_contain_text("Saved")
        page.get_by_label("Species", exact=True).fill("Mus musculus")
        page.get_by_label("Species", exact=True).blur()
        expect(saved(page, "Species")).to_contain_text("Saved")
        assert is_same(page) and re.search(r"/deposit/\d+$", page.url)

        again(page)
        refused(page)
        second_window(browser, page)
        rows(page)
        expired(live, page)
        pressed_while_signed_out(live, page)
        pressed_before_it_was_saved(live, page)
        pressed_twice(page)
        saved_after_submit(live, page)


def again(page) -> None:
    """The back button and a reload show what was saved; the next new form is empty."""
    address = page.url
    page.goto("/deposit/new")
    expect(page.get_by_label("Brief description")).to_have_value("")
    page.goto("/help")
    page.goto(address)
    page.goto("/help")
    page.go_back()
    expect(page.get_by_label("Dataset name")).to_have_value("Livers under stress")
    expect(page.get_by_label("Brief description")).to_have_value("Counts of twelve livers.")
    look(page)


def refused(page) -> None:
    """What is not valid yet stays typed, with its sentence."""
    page.get_by_label("BioProject accession").fill("my project")
    page.get_by_label("BioProject accession").blur()
    expect(saved(page, "BioProject accession")).to_contain_text("looks like PRJCA")
    page.reload()
    expect(page.get_by_label("BioProject accession")).to_have_value("my project")
    look(page)
    page.get_by_label("BioProject accession").fill("PRJCA000123")
    page.get_by_label("BioProject accession").blur()
    expect(saved(page, "BioProject accession")).to_contain_text("Saved")


def second_window(browser, page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_label("Dataset name").fill("From the first window")
    page.get_by_label("Dataset name").blur()
    expect(saved(page, "Dataset name")).to_contain_text("Saved")
    other.get_by_label("Dataset name").fill("From the second")
    other.get_by_label("Dataset name").blur()
    expect(saved(other, "Dataset name")).to_contain_text("Another window saved “From the first window”")
    expect(other.get_by_label("Dataset name")).to_have_value("From the second")
    other.close(run_before_unload=False)
    page.reload()
    expect(saved(page, "Dataset name")).to_contain_text("Another window saved “From the first window”")
    expect(page.get_by_label("Dataset name")).to_have_value("From the second")


def rows(page) -> None:
    """A file typed ahead is kept before it is declared, with what is wrong with it."""
    page.get_by_role("button", name="Add More File").click()
    page.get_by_label("File name").fill("run/a file.txt")
    page.get_by_label("File name").blur()
    expect(saved(page, "File name")).to_contain_text("a space")
    page.reload()
    expect(page.get_by_label("File name")).to_have_value("run/a file.txt")
    look(page)
    page.get_by_label("File name").fill("run/a.txt")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#file-1")).to_contain_text("run/a.txt")
    expect(page.get_by_label("File name")).to_have_count(0)


def pressed_while_signed_out(live, page) -> None:
    """Save pressed with words that cannot be saved: the page is not left, and a reload brings the row back."""
    cookies = page.context.cookies()
    page.get_by_role("button", name="Add More File").click()
    page.get_by_label("File name").fill("run/b.txt")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").last.click()
    expect(saved(page, "File name")).to_contain_text("what you typed is kept here")
    page.context.add_cookies(cookies)
    page.reload()
    expect(page.get_by_label("File name")).to_have_value("run/b.txt")
    expect(saved(page, "File name")).to_contain_text("Saved")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#file-2")).to_contain_text("run/b.txt")


def expired(live, page) -> None:
    """Signed out in the middle of a word: it is kept in the browser, and saved once one is back."""
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_label("Brief description").fill("Counts of twelve livers, typed while signed out.")
    page.get_by_label("Brief description").blur()
    expect(saved(page, "Brief description")).to_contain_text("what you typed is kept here")
    page.context.add_cookies(cookies)
    page.evaluate("window.onbeforeunload = null")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_label("Brief description")).to_have_value("Counts of twelve livers, typed while signed out.")
    expect(saved(page, "Brief description")).to_contain_text("Saved")
    ref = page.url.rpartition("/")[2]
    found = live.api(live.token, "GET", f"/datasets/{ref}")[1]
    assert found["description"] == "Counts of twelve livers, typed while signed out."


def pressed_before_it_was_saved(live, page) -> None:
    """Words of another window are shown before Save replaces them, also where nothing was saved while typing."""
    address, ref = page.url, page.url.partition("#")[0].rpartition("/")[2]
    other = page.context.new_page()
    other.goto(address)
    other.get_by_label("Dataset name").fill("From the other window")
    other.get_by_label("Dataset name").blur()
    expect(saved(other, "Dataset name")).to_contain_text("Saved")
    other.close()
    page.get_by_label("Dataset name").fill("Pressed at once")
    page.get_by_label("Dataset name").press("Enter")
    expect(saved(page, "Dataset name")).to_contain_text("Another window saved “From the other window”")
    assert live.api(live.token, "GET", f"/datasets/{ref}")[1]["title"] == "From the other window"
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator(".flash, [role=status]").filter(has_text=re.compile(r"(^|\s)Saved\.")).first).to_be_visible()
    # A "Saved." of the press before may still stand there.
    until(lambda: live.api(live.token, "GET", f"/datasets/{ref}")[1]["title"] == "Pressed at once")


def pressed_twice(page) -> None:
    page.get_by_role("button", name="Add More File").click()
    page.get_by_label("File name").fill("run/c.txt")
    page.get_by_role("button", name="Save").last.dblclick()
    expect(page.locator("#file-3")).to_contain_text("run/c.txt")
    expect(page.locator("#errors")).to_have_count(0)
    expect(page.get_by_label("File name")).to_have_count(0)


def saved_after_submit(live, page) -> None:
    """What the archive writes a little differently is saved all the same, and rows do not come back."""
    address, ref = page.url.partition("#")[0], page.url.partition("#")[0].rpartition("/")[2]
    assert live.api(live.token, "POST", f"/datasets/{ref}/actions/submit")[0] == 200
    page.goto(address)
    page.get_by_label("Dataset name").fill("  Handed in ")
    page.get_by_label("BioProject accession").fill("prjca000456")
    page.get_by_role("button", name="Add More File").click()
    page.get_by_label("File name").fill("run/d.txt")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#file-4")).to_contain_text("run/d.txt")
    expect(page.get_by_label("Dataset name")).to_have_value("Handed in")
    expect(page.get_by_text("it was not saved")).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.includes(location.pathname + ':'))") == []
