"""A database that cannot be written just now: nothing is half-done, nothing typed is lost, and reading goes on."""

import pytest
from pysqlite3 import dbapi2 as pysqlite3

from portal import db, ingest
from portal.models import Dataset
from tests.conftest import INES

WORDS = "Livers of forty mice"


@pytest.fixture
def browser(sign_in):
    made = sign_in(INES)
    made.get("/deposit/new")
    return made


@pytest.fixture
def locked(settings, browser, monkeypatch):
    """Another process holds the database."""
    monkeypatch.setattr(db, "BUSY_MS", 100)
    db.configure(settings.database)
    other = pysqlite3.connect(settings.instance / "portal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.rollback()
    other.close()


@pytest.fixture
def full(settings, browser):
    """The disk has no page left for it."""
    db.end()
    with db.engine().connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    db.dispose()
    db.configure(settings.database)
    listen = db.event.listens_for(db.engine(), "connect")
    listen(lambda connection, _record: connection.execute(f"PRAGMA max_page_count={pages}"))


@pytest.fixture(params=["locked", "full"])
def unwritable(request):
    return request.getfixturevalue(request.param)


def made() -> int:
    db.end()
    return db.session.query(Dataset).count()


def test_form_comes_back_with_its_words(browser, unwritable):
    answer = browser.send("/deposit/new", title=WORDS, description="x" * 4900)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert WORDS in answer.text and made() == 0


def test_htmx_tells_it_above_the_form(browser, unwritable):
    answer = browser.send("/deposit/new", htmx=True, title=WORDS, description="x" * 4900)
    assert answer.status_code == 503 and 'id="problem"' in answer.text and made() == 0


def test_page_without_a_form_of_its_own_gives_the_words_back(browser, locked):
    answer = browser.send("/account/name", name=WORDS)
    assert answer.status_code == 503 and "Retry-After" in answer.headers and WORDS in answer.text


def test_program_is_told_when_to_come_again(app, browser, unwritable):
    headers = {"X-CSRFToken": browser.token}
    answer = browser.post("/api/v1/datasets", json={"title": WORDS, "description": "x" * 4900}, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["code"] in ("busy", "unwritable") and made() == 0


def test_upload_is_not_acknowledged(app, browser, full):
    ingest.start("test")
    try:
        headers = {"X-CSRFToken": browser.token}
        codes = {
            browser.put(f"/api/v1/uploads/open/{'run' * 60}{n}.txt", data=b"x", headers=headers).status_code
            for n in range(40)
        }
    finally:
        ingest.stop()
    assert 503 in codes and codes <= {201, 503}


def test_reading_goes_on(browser, unwritable):
    assert browser.get("/").status_code == 200 and browser.get("/deposit").status_code == 200
