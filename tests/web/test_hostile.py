"""Words that try to be more than words stay words: on every page that can be reached, in mails, and sent twice."""

import re

import pytest
from sqlalchemy import func, select

from portal import clock, db
from portal.domain.access_requests import terms
from portal.domain.accounts import quota_requests
from portal.domain.datasets import publications, remarks, share_links
from portal.domain.files import files
from portal.models import Account, Center, Dataset, Mail
from tests import depositing as deposit
from tests.conftest import INES, RUTH

EVIL = "\"'><img src=x onerror=alert(1)></textarea></title><svg/onload=alert(2)>{{7*7}}${7*7}%0d%0aSet-Cookie:a=b"
RAW = ("<img src=x", "<svg/onload", "</textarea></title>", "49}", "\r\nSet-Cookie:a=b")
STARTS = ("/", "/deposit", "/review", "/area", "/tracking", "/requests", "/account", "/admin", "/reports", "/webhooks")
LEAVE = re.compile(r"^/(static|help|logout|site)|\.(zip|bib|tsv|xlsx|csv)|/files/|/api/|[?&](sort|term|lang)=")
MOST = 28


@pytest.fixture
def filled(receiving, app, run_jobs) -> int:
    """A dataset, its people and all that is said of it, with the same words in every field that takes words."""
    texts = {"title": EVIL, "description": EVIL, "species": EVIL[:100], "investigator": EVIL[:100]}
    dataset_id = deposit.submit({"run1/a.bin": b"one"}, **texts)
    other = deposit.submit({"b.bin": b"two"}, access="controlled", **texts)
    run_jobs()
    with db.transaction():
        db.session.query(Account).filter_by(email=INES.email).one().name = EVIL[:100]
        db.session.query(Center).filter_by(name="Northmere Institute").one().name = EVIL[:100]
        dataset = db.session.get_one(Dataset, dataset_id)
        files.edit(files.by_number(dataset, 1), {"title": EVIL, "description": EVIL}, actor=INES.account)
        remarks.add(dataset, EVIL, actor=RUTH.account)
        publications.record(dataset, "10.1234/" + "<svg/onload=1>", actor=RUTH.account, title=EVIL)
        quota_requests.ask(EVIL, actor=INES.account)
    deposit.approve(other)
    with db.transaction():
        share_links.make(db.session.get_one(Dataset, other), label=EVIL[:100], actor=INES.account)
        terms.write(db.session.get_one(Dataset, other), {"agreement": EVIL}, actor=INES.account)
    deposit.ask_release(other)
    deposit.run_until_idle(run_jobs, clock)
    return dataset_id


def crawl(client) -> int:
    """Every page that the links of these pages lead to, once; pages that differ by a number alone, twice."""
    ahead, seen, kinds = list(STARTS), set(STARTS), dict[str, int]()
    count = evil = 0
    while ahead and count < MOST:
        path = ahead.pop(0)
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html":
            continue
        count += 1
        evil += "&lt;img src=x" in answer.text
        assert not [raw for raw in RAW if raw in answer.text], path
        assert "a" not in answer.headers.getlist("Set-Cookie")
        for link in re.findall(r'href="(/[^"#]*)', answer.text):
            address = link.replace("&amp;", "&")
            kind = re.sub(r"\d+", "0", address)
            if address not in seen and not LEAVE.search(address) and kinds.get(kind, 0) < 2:
                kinds[kind] = kinds.get(kind, 0) + 1
                seen.add(address)
                ahead.append(address)
    return evil


def test_words_stay_words_on_every_page_and_in_mails(filled, sign_in):
    assert crawl(sign_in(INES)) >= 8
    assert crawl(sign_in(RUTH)) >= 8
    mails = list(db.session.scalars(select(Mail)))
    assert any(EVIL[:40] in mail.subject + mail.body for mail in mails)
    assert not [mail.subject for mail in mails if "\n" in mail.subject or "\r" in mail.subject]


def number(model) -> int:
    db.end()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_button_pressed_twice_makes_one(receiving, sign_in, run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    client = sign_in(INES)
    page = client.get("/deposit/new").text
    key = re.search(r'name="once" value="([^"]+)"', page)[1]
    for path, fields, model, more in (
        (f"/deposit/{deposit.get(dataset_id).accession}/copy", {}, Dataset, 1),
        ("/deposit/new", {"once": key, "title": "T", "access": "open"}, Dataset, 1),
        ("/area/quota", {"note": "2 TB for images."}, Mail, 1),
    ):
        before = number(model)
        first, second = client.send(path, **fields), client.send(path, **fields)
        assert number(model) == before + more, path
        assert first.headers.get("Location") == second.headers.get("Location")
