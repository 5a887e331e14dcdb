"""The file table of hundreds: filtered, sorted, filled in and deleted, by the page and by all that the filter shows."""

import re

import pytest

from portal import db, ingest
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.models import Dataset, File
from portal.web.files import bulk_edit
from tests import depositing
from tests.conftest import INES

COUNT = 250


@pytest.fixture
def draft(app):
    rows = [{"name": f"{'run' if n % 2 else 'blank'}/{n:03d}.gz"} for n in range(COUNT)]
    with db.transaction():
        return datasets.create(actor=INES.account, title="Livers", description="D", species="S", files=rows).id


@pytest.fixture
def browser(draft, sign_in):
    return sign_in(INES)


def numbers(page: str) -> list[int]:
    return [int(n) for n in re.findall(r'id="file-(\d+)"', page)]


def stored(draft) -> dict[int, File]:
    return {file.n: file for file in depositing.files_of(draft)}


def onward(page: str) -> str:
    return re.search(r'rel="next" href="([^"#]+)', page).group(1).replace("&amp;", "&")


def test_filter_shows_what_bears_the_words(browser, draft):
    page = browser.get(f"/deposit/{draft}?text=RUN").text
    assert numbers(page) == [n + 1 for n in range(COUNT) if n % 2][:100]
    assert numbers(browser.get(onward(page)).text)[0] == 202
    assert "No file is like that now" in browser.get(f"/deposit/{draft}?text=nothing%25").text


def test_sorted_by_name_pages_go_on_where_they_ended(browser, draft):
    page, seen = browser.get(f"/deposit/{draft}?sort=name").text, []
    seen += numbers(page)
    for _more in range(2):
        page = browser.get(onward(page)).text
        seen += numbers(page)
    names = [stored(draft)[n].name for n in seen]
    assert names == sorted(names) and len(set(seen)) == COUNT
    assert 'aria-sort="ascending"' in page


def test_sorted_by_size_the_largest_first(database, sign_in):
    ingest.start("test")
    made = depositing.submit({"a.bin": b"1", "b.bin": b"333", "c.bin": b"22"})
    ingest.stop()
    assert numbers(sign_in(INES).get(f"/deposit/{made}?sort=size").text) == [2, 3, 1]


def test_ticked_files_are_filled_in(browser, draft):
    answer = browser.send(
        f"/deposit/{draft}/files/many", do="fill", n=["2", "4", "9999"], field="title", value="Livers"
    )
    assert answer.status_code == 303
    assert [n for n, file in stored(draft).items() if file.title == "Livers"] == [2, 4]
    assert "File changed" in browser.get(f"/deposit/{draft}/history").text


@pytest.mark.parametrize("at_once", [bulk_edit.AT_ONCE, 3])
def test_all_shown_are_filled_in_on_every_page(browser, draft, monkeypatch, at_once):
    monkeypatch.setattr(bulk_edit, "AT_ONCE", at_once)
    browser.send(f"/deposit/{draft}/files/many", do="fill-all", shown="run", field="samples", value="12")
    filled = [file for file in stored(draft).values() if file.samples == 12]
    assert len(filled) == COUNT // 2 and all(file.name.startswith("run/") for file in filled)


@pytest.mark.parametrize(("field", "value"), [("samples", "many"), ("unit", "kilos"), ("state", "archived")])
def test_value_that_does_not_fit_changes_nothing_and_stays_typed(browser, draft, field, value):
    answer = browser.send(f"/deposit/{draft}/files/many", do="fill-all", field=field, value=value)
    assert answer.status_code == 422 and f'value="{value}"' in answer.text
    assert {(file.samples, file.unit, file.state) for file in stored(draft).values()} == {(None, "samples", "waiting")}


def test_ticked_files_are_deleted_after_a_question(browser, draft):
    asked = browser.send(f"/deposit/{draft}/files/many", do="delete", n=["1", "3"], shown="blank", sort="name")
    assert "Delete 2 files" in asked.text and len(stored(draft)) == COUNT
    assert 'name="shown" value="blank"' in asked.text and 'name="sort" value="name"' in asked.text
    assert stored(draft)[1].state == "waiting"
    browser.send(f"/deposit/{draft}/files/many", do="delete", n=["1", "3"], sure="1")
    assert [n for n, file in stored(draft).items() if file.state == "removed"] == [1, 3]


def test_nothing_ticked_is_said(browser, draft):
    browser.send(f"/deposit/{draft}/files/many", do="delete")
    assert "tick files in the table first" in browser.get(f"/deposit/{draft}").text


def test_archived_files_deleted_together_leave_the_bag(database, sign_in, run_jobs):
    ingest.start("test")
    made = depositing.submit({"a.bin": b"1", "b.bin": b"2", "c.bin": b"3"})
    run_jobs()
    sign_in(INES).send(f"/deposit/{made}/files/many", do="delete", n=["1", "2"], sure="1")
    assert depositing.get(made).bag_dirty
    run_jobs()
    ingest.stop()
    assert depositing.states_of(made) == ["removed", "removed", "archived"]
    assert depositing.is_valid_bag(depositing.bag_of(made))


def test_file_on_its_way_into_the_archive_is_not_deleted(database, sign_in):
    ingest.start("test")
    made = depositing.submit({"a.bin": b"1", "b.bin": b"2"})
    with db.transaction():
        files.by_number(db.session.get_one(Dataset, made), 2).upload.state = "checking"
    answer = sign_in(INES).send(f"/deposit/{made}/files/many", do="delete", n=["1", "2"], sure="1")
    ingest.stop()
    assert answer.status_code == 409 and "is being archived just now" in answer.text
    assert depositing.states_of(made) == ["checking", "checking"]


@pytest.mark.parametrize("text", ["Émile", "émile", "ÉMILE", "foie ÉMI"])
def test_letters_with_marks_are_found_in_any_case(browser, draft, text):
    with db.transaction():
        files.edit(
            files.by_number(db.session.get_one(Dataset, draft), 7), {"title": "Foie d'Émile"}, actor=INES.account
        )
    assert numbers(browser.get(f"/deposit/{draft}", query_string={"text": text}).text) == [7]


@pytest.mark.parametrize("text", ["a " * 1500, "\0", '"%_\\'])
def test_odd_words_to_look_for_are_no_fault(browser, draft, text):
    assert browser.get(f"/deposit/{draft}", query_string={"text": text}).status_code == 200
    assert (
        browser.send(f"/deposit/{draft}/files/many", do="fill-all", shown=text, field="title", value="x").status_code
        == 303
    )
