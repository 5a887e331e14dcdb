"""The title of every page of a dataset names it, so that tabs and bookmarks are told apart."""

import re

import pytest

from portal import db
from portal.domain.datasets import datasets, share_links
from portal.models import Dataset
from tests import depositing
from tests.conftest import INES, RUTH

TITLE = "Livers under stress"
OWNED = (
    "/deposit/{ref}",
    "/deposit/{ref}/history",
    "/deposit/{ref}/links",
    "/deposit/{ref}/links/1",
    "/deposit/{ref}/people",
    "/deposit/{ref}/actions/release",
    "/deposit/{ref}/files/1/replace",
    "/datasets/{ref}",
    "/datasets/{ref}/files",
    "/share/{token}",
)


@pytest.fixture
def made(once, run_jobs):
    """The accession of an approved dataset with one archived file, and the token of its sharing link."""

    def make() -> tuple[str, str]:
        number = depositing.submit({"a.txt": b"a"}, title=TITLE)
        run_jobs()
        depositing.approve(number)
        run_jobs()
        with db.transaction():
            dataset = db.session.get_one(Dataset, number)
            return dataset.accession, share_links.make(dataset, actor=INES.account)[1]

    return once(make)


def title_of(browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL)[1]


@pytest.mark.parametrize("address", OWNED)
def test_page_of_the_owner_names_the_dataset(made, sign_in, address):
    ref, token = made
    assert f"{ref} {TITLE}" in title_of(sign_in(INES), address.format(ref=ref, token=token))


def test_page_of_the_review_names_the_dataset(made, sign_in):
    assert f"{made[0]} {TITLE}" in title_of(sign_in(RUTH), f"/review/{made[0]}")


def test_page_that_asks_before_the_submit_names_the_draft(made, sign_in):
    with db.transaction():
        number = datasets.create(
            actor=INES.account,
            title="Kidneys",
            description="Of genes.",
            species="Mus musculus",
            access="open",
            files=[{"name": "k.txt"}],
        ).id
    assert "Kidneys" in title_of(sign_in(INES), f"/deposit/{number}/actions/submit")
