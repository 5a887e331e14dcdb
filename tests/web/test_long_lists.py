"""Lists that grow with use come in pages; what is on a page leads to the next."""

import re

import pytest

from portal import clock, db
from portal.domain.accounts import tokens
from portal.domain.datasets import datasets, share_links
from portal.models import Link, Remark, Report, RequestMessage
from tests.conftest import INES, RUTH, STRANGER
from tests.web.matrix import access_requests as staged
from tests.web.matrix import share_page


def following(text: str) -> str:
    return re.search(r'rel="next" href="([^"]+)"', text)[1].replace("&amp;", "&")


@pytest.fixture
def submitted(app) -> datasets.Dataset:
    with db.transaction():
        made = datasets.create(actor=INES.account, title="T", description="D", species="S", files=[{"name": "a.txt"}])
        datasets.submit(made, actor=INES.account)
    return made


def test_remarks_come_in_pages_and_open_ones_first(sign_in, submitted):
    with db.transaction():
        db.session.add_all(
            Remark(
                dataset_id=submitted.id,
                account_id=RUTH.id,
                text=f"Said {n}.",
                created_at=n,
                done_at=None if n == 1 else 1,
            )
            for n in range(150)
        )
    client = sign_in(RUTH)
    page = client.get(f"/review/{submitted.accession}").text
    assert "1 to 100 of 150 remarks" in page and page.count('<li id="remark-') == 100
    assert page.index("Said 1.") < page.index("Said 149.")
    rest = client.get(following(page)).text
    assert rest.count('<li id="remark-') == 50 and "Said 0." in rest and "Said 1." not in rest
    assert "1 open remark" in sign_in(INES).get(f"/deposit/{submitted.accession}").text


def test_links_that_open_stand_before_those_that_ended(app, sign_in):
    found = share_page.stage("approved")
    with db.transaction():
        first = db.session.query(Link).one()
        db.session.add_all(
            Link(
                dataset_id=first.dataset_id,
                n=n,
                hash=str(n),
                label=f"Ended {n}",
                made_by=INES.id,
                created_at=1,
                revoked_at=1,
            )
            for n in range(2, 122)
        )
    client = sign_in(INES)
    page = client.get(f"/deposit/{found['ref']}/links").text
    assert page.count('id="link-') == 101 and page.index(first.label) < page.index("Ended 121")
    rest = client.get(following(page)).text
    assert rest.count('id="link-') == 20 and "Ended 2<" in rest and f">{first.label}<" not in rest
    with db.transaction():
        assert [one.n for one in share_links.living(access_of(found))] == [1]


def access_of(found) -> datasets.Dataset:
    return db.session.get_one(datasets.Dataset, found["id"])


def test_tokens_come_in_pages_the_newest_first(sign_in, ines):
    with db.transaction():
        for n in range(60):
            tokens.make_api_token(INES.account, label=f"robot {n}!", actor=None)
    client = sign_in(ines)
    page = client.get("/account").text
    assert page.index("robot 59!") < page.index("robot 10!") and "robot 9!" not in page
    assert "robot 9!" in client.get(following(page)).text


def test_messages_of_a_request_come_in_pages_the_newest_last(app, sign_in):
    found = staged.stage("asked")
    with db.transaction():
        db.session.add_all(
            RequestMessage(request_id=found["request"], account_id=STRANGER.id, text=f"Word {n}.", created_at=n)
            for n in range(60)
        )
    client = sign_in(INES)
    page = client.get(f"/requests/{found['request']}").text
    assert page.index("Word 10.") < page.index("Word 59.") and "Word 9." not in page
    assert "Word 9." in client.get(following(page)).text


def test_reports_come_in_pages(app, client):
    with db.transaction():
        db.session.add_all(
            Report(
                center_id=None,
                kind="metadata",
                day=f"2026-{n}",
                full=False,
                size=1,
                upto_event=0,
                made_at=clock.now(),
                path=f"x/{n}.gz",
            )
            for n in range(1, 56)
        )
    page = client.get("/reports").text
    assert page.count('id="report-') == 50 and client.get(following(page)).text.count('id="report-') == 5


def test_page_says_what_an_action_does_before_it_is_done(sign_in, submitted):
    assert "leaves the queue" in sign_in(INES).get(f"/deposit/{submitted.accession}/actions/recall").text


def test_dead_link_says_where_a_new_one_comes_from(app, client):
    page = client.get("/reset/nobody-made-this")
    assert page.status_code == 404 and "opens nothing any more" in page.text and 'href="/reset"' in page.text
    assert "everybody finds it" in client.get("/share/nobody-made-this").text
