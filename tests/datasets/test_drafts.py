"""Fields save themselves; what is not valid yet is kept; two windows do not undo each other."""

import pytest

from portal import db
from portal.domain.datasets import datasets, drafts
from portal.domain.files import files
from portal.models import Dataset, Event, File
from tests.conftest import INES


@pytest.fixture
def draft(app):
    with db.transaction():
        return datasets.create(actor=INES.account, title="Livers", description="Of mice.", species="Mus musculus").id


@pytest.fixture
def browser(draft, sign_in):
    return sign_in(INES)


def stored(draft) -> Dataset:
    db.end()
    return db.session.get_one(Dataset, draft)


def save(browser, draft, field, value, was=None, **more):
    extra = {} if was is None else {"was": was}
    return browser.send(f"/deposit/{draft}/field", field=field, value=value, **extra, **more)


def test_field_saves_itself(browser, draft):
    answer = save(browser, draft, "title", "  Livers under stress ", was="Livers")
    assert answer.status_code == 200 and answer.json["fault"] == ""
    assert answer.json["value"] == stored(draft).title == "Livers under stress"
    event = db.session.query(Event).filter_by(dataset_id=draft, action="edit").one()
    assert (event.before, event.after) == ({"title": "Livers"}, {"title": "Livers under stress"})


def test_what_is_not_valid_yet_is_kept_with_its_sentence(browser, draft):
    answer = save(browser, draft, "bioproject", "my project", was="")
    assert "looks like" in answer.json["fault"] and stored(draft).bioproject == ""
    page = browser.get(f"/deposit/{draft}").text
    assert 'value="my project"' in page and "looks like PRJCA" in page
    refused = browser.send(f"/deposit/{draft}", then="submit", title="Livers")
    assert refused.status_code == 422 and "looks like PRJCA" in refused.text
    assert save(browser, draft, "bioproject", "PRJCA000123", was="my project").json["fault"] == ""
    assert (stored(draft).bioproject, stored(draft).pending) == ("PRJCA000123", None)


def test_rows_of_files_are_kept_until_they_are_declared(browser, draft):
    assert save(browser, draft, "files.0.name", "run/a.txt").json["fault"] == ""
    assert "32" in save(browser, draft, "files.0.declared_md5", "short").json["fault"]
    page = browser.get(f"/deposit/{draft}").text
    assert 'name="files.0.name"' in page and 'value="run/a.txt"' in page and 'value="short"' in page
    assert 'name="was.files.0.name" value="run/a.txt"' in page

    row = {"files.0.name": "run/a.txt", "files.0.declared_md5": ""}
    browser.send(f"/deposit/{draft}", title="Livers", access="open", **row)
    assert stored(draft).pending is None
    assert [file.name for file in db.session.query(File)] == ["run/a.txt"]
    assert 'name="files.0.name"' not in browser.get(f"/deposit/{draft}").text


def test_row_of_another_window_is_shown_not_overwritten(browser, draft):
    save(browser, draft, "files.0.name", "a.txt")
    answer = save(browser, draft, "files.0.name", "b.txt")
    assert (answer.status_code, answer.json["stored"]) == (409, "a.txt")
    assert save(browser, draft, "files.0.name", "b.txt", was="a.txt").json["value"] == "b.txt"


@pytest.mark.parametrize("field", ["files.0.state", "files.9999999.name", "files.0.upload_id"])
def test_field_that_no_row_has_is_refused(browser, draft, field):
    assert save(browser, draft, field, "x").status_code == 422
    assert stored(draft).pending is None


def test_other_field_of_another_window_stays(browser, draft):
    """Both forms were opened before either was saved."""
    form = {"title": "Livers", "description": "Of mice.", "species": "Mus musculus", "access": "open"}
    was = {f"was.{field}": value for field, value in {**form, "human": ""}.items()}
    browser.send(f"/deposit/{draft}", **form | {"title": "From the first window"}, **was)
    browser.send(f"/deposit/{draft}", **form | {"description": "From the second."}, **was)
    assert (stored(draft).title, stored(draft).description) == ("From the first window", "From the second.")


def test_same_field_of_another_window_is_shown_not_overwritten(browser, draft):
    was = {"was.title": "Livers"}
    browser.send(f"/deposit/{draft}", title="First", **was)
    clash = browser.send(f"/deposit/{draft}", title="Second", **was)
    assert clash.status_code == 409 and "Another window saved “First”" in clash.text and 'value="Second"' in clash.text
    assert stored(draft).title == "First"
    browser.send(f"/deposit/{draft}", title="Second", **{"was.title": "First"})
    assert stored(draft).title == "Second"


def test_field_of_another_window_is_not_overwritten_while_typing(browser, draft):
    save(browser, draft, "title", "First", was="Livers")
    clash = save(browser, draft, "title", "Second", was="Livers")
    assert clash.status_code == 409 and clash.json["stored"] == "First"
    assert stored(draft).title == "First"


def test_submitted_dataset_is_not_changed_while_typing(browser, draft):
    with db.transaction():
        files.add(db.session.get_one(Dataset, draft), [{"name": "a.txt"}], actor=INES.account)
        datasets.submit(db.session.get_one(Dataset, draft), actor=INES.account)
    assert save(browser, draft, "title", "Other", was="Livers").status_code == 409
    assert stored(draft).title == "Livers"


def test_first_field_makes_one_draft(app, sign_in):
    browser = sign_in(INES)
    first = browser.send("/deposit/new/field", once="k1", field="title", value="Livers")
    second = browser.send("/deposit/new/field", once="k1", field="species", value="Mus musculus")
    assert first.json["address"] == second.json["address"]
    form = {"title": "Livers", "description": "Of mice.", "species": "Mus musculus", "access": "open"}
    browser.send("/deposit/new", once="k1", **form)
    db.end()
    (made,) = db.session.query(Dataset)
    assert (made.title, made.species, made.description) == ("Livers", "Mus musculus", "Of mice.")


def test_field_that_does_not_exist_is_refused(browser, draft):
    assert save(browser, draft, "state", "released").status_code == 422
    assert stored(draft).state == "draft" and drafts.pending(stored(draft)) == {}


def test_submit_shows_what_is_handed_in_first(browser, draft):
    with db.transaction():
        files.add(db.session.get_one(Dataset, draft), [{"name": "a.txt"}], actor=INES.account)
    answer = browser.send(f"/deposit/{draft}", then="submit", title="Livers")
    assert answer.headers["Location"].endswith(f"/deposit/{draft}/actions/submit")
    page = browser.get(answer.headers["Location"]).text
    assert "Of mice." in page and "1 file" in page and "very short" in page
    browser.send(f"/deposit/{draft}/actions/submit")
    assert stored(draft).state == "submitted"


def test_earlier_dataset_is_a_template(browser, draft, app):
    with db.transaction():
        row = {"name": "run/a.gz", "title": "First", "samples": 4, "md5": "0" * 32}
        files.add(db.session.get_one(Dataset, draft), [row], actor=INES.account)
        db.session.get_one(Dataset, draft).release_date = "2027-01-01"
    where = browser.send(f"/deposit/{draft}/copy").headers["Location"]
    made = stored(int(where.rpartition("/")[2]))
    assert (made.title, made.species, made.release_date, made.state) == ("Livers", "Mus musculus", None, "draft")
    (file,) = db.session.scalars(files.living(made))
    assert (file.name, file.title, file.samples, file.declared_md5) == ("run/a.gz", "First", 4, None)


def test_more_than_a_draft_keeps_is_said_as_a_program_reads_it(browser, draft):
    answer = save(browser, draft, "files.0.description", "x" * 6000)
    assert answer.status_code == 422 and "press Save first" in answer.json["fault"]
