"""What was changed, and when it opens: the history of a dataset on its submitter's page, and its release date."""

import pytest

from portal import clock, db, ingest
from portal.domain.files import files
from portal.models import Dataset
from tests import depositing
from tests.conftest import INES

FORM = {"title": "Counts", "description": "Of genes.", "species": "Mus musculus", "access": "open"}


@pytest.fixture
def approved(database, run_jobs):
    ingest.start("test")
    made = depositing.submit({"counts.tsv": b"counts"})
    run_jobs()
    depositing.approve(made)
    run_jobs()
    yield made
    ingest.stop()


@pytest.fixture
def browser(sign_in, approved):
    return sign_in(INES)


def stored(dataset_id) -> Dataset:
    return depositing.get(dataset_id)


def test_history_tells_who_changed_what(browser, approved):
    browser.send(f"/deposit/{approved}", **FORM | {"title": "Counts of <livers>"})
    with db.transaction():
        files.edit(files.by_number(db.session.get_one(Dataset, approved), 1), {"title": "First"}, actor=INES.account)
    page = browser.get(f"/deposit/{approved}/history").text

    assert "Of &lt;livers&gt;" in page or "of &lt;livers&gt;" in page
    for words in ("Dataset name", "File -01, title", "First", "Approved", "Ruth Adeyemi", "Submitted", "Files added"):
        assert words in page, words
    assert page.index("File changed") < page.index("Texts changed") < page.index("Approved") < page.index("Submitted")


def test_date_of_today_is_confirmed_before_it_opens(browser, approved, run_jobs):
    now = FORM | {"release_date": "2020-01-01"}
    asked = browser.send(f"/deposit/{approved}", **now)
    assert asked.status_code == 200 and "The release date 2020-01-01 has come" in asked.text
    assert 'name="release_now"' in asked.text and 'value="2020-01-01"' in asked.text
    assert "1 file, 6 B (6 bytes)" in asked.text and "Only a curator can take it back" in asked.text
    run_jobs()
    assert (stored(approved).state, stored(approved).release_date) == ("approved", None)

    browser.send(f"/deposit/{approved}", **now, release_now="1")
    depositing.run_until_idle(run_jobs, clock)
    assert stored(approved).state == "released"


def test_later_date_needs_no_confirmation_and_says_its_moment(browser, approved):
    browser.send(f"/deposit/{approved}", **FORM, release_date="2199-07-01")
    assert stored(approved).release_date == "2199-07-01"
    assert "It opens at 2199-07-01 00:00 in" in browser.get(f"/deposit/{approved}").text
