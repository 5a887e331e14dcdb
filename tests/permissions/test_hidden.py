"""A dataset that somebody may not see is like none at all: the same answers, and the same questions to the database,
so that not even the time a 404 takes tells them apart."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select

from portal import clock, db, states
from portal.domain.permissions import access
from portal.models import Dataset
from tests.access_requests.support import COLLEAGUE, INES, RUTH, STRANGER, release
from tests.counting import statements
from tests.permissions.test_leaks import ftp_answers, http_doors

NOTHING = "OMIX999999"
ANYBODY = None


@contextmanager
def listening() -> Iterator[list[str]]:
    """The statements that are sent meanwhile, and each dataset that is read."""

    def read(dataset, _context):
        heard.append(f"read {dataset.accession}")

    event.listen(Dataset, "load", read)
    try:
        with statements() as heard:
            yield heard
    finally:
        event.remove(Dataset, "load", read)


def told(browser, door: str) -> tuple[int, list[str]]:
    with listening() as heard:
        answer = browser.get(door, buffered=True)
    return answer.status_code, heard


@pytest.mark.parametrize("state", ["approved", "submitted", "returned"])
def test_hidden_dataset_asks_what_none_asks(database, app, sign_in, state):
    hidden = release(INES, state=state)
    for person in (ANYBODY, STRANGER, COLLEAGUE):
        browser = sign_in(person) if person else app.test_client()
        browser.get("/")
        for door in http_doors(hidden):
            nothing = door.replace(hidden, NOTHING)
            assert door == nothing or told(browser, door) == told(browser, nothing), (person, door)


def test_hidden_dataset_asks_over_ftp_what_none_asks(database, door):
    hidden = release(INES, state="approved")
    for person in (ANYBODY, STRANGER):
        client = door.plain(person)
        if person is None:
            client.login()
        ftp_answers(client, NOTHING)
        with listening() as of_hidden:
            ftp_answers(client, hidden)
        with listening() as of_nothing:
            ftp_answers(client, NOTHING)
        assert in_answer(of_hidden) == in_answer(of_nothing) != [], person


def in_answer(heard: list[str]) -> list[str]:
    """Without what the server asks by itself every few seconds: whether the accounts of its sessions are still open."""
    return [one for one in heard if one not in ("BEGIN", "ROLLBACK") and "SELECT account.id, account.epoch" not in one]


def test_condition_says_what_the_function_says(database):
    for state, numbered, opened in itertools.product(states.DATASET.states, (True, False), (True, False)):
        accession = release(INES, state=state, contents={})
        with db.transaction():
            made = db.session.scalars(select(Dataset).where(Dataset.accession == accession)).one()
            made.accession, made.released_at = accession if numbered else None, clock.now() if opened else None
        for person in (ANYBODY, INES, COLLEAGUE, STRANGER, RUTH):
            actor = person.account if person else None
            chosen = db.session.scalar(select(Dataset.id).where(Dataset.id == made.id, access.visible(actor)))
            assert (chosen is not None) == access.may_see(made, actor), (state, numbered, opened, person)
