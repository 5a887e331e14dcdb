"""The curators' pages, my uploads and tracking, as people use them."""

import pytest

from portal import db
from portal.domain.accounts import ftp_faults
from portal.domain.datasets import datasets
from portal.domain.uploads import uploads
from portal.domain.uploads.uploads import Arrival, Place
from portal.models import Dataset, Upload


@pytest.fixture
def submitted(app, ines):
    with db.transaction():
        made = datasets.create(
            actor=ines.account, title="Kidney organoids", description="D", species="S", files=[{"name": "a.txt"}]
        )
        datasets.submit(made, actor=ines.account)
    return made.accession


@pytest.fixture
def cut(app, ines):
    with db.transaction():
        place = Place("incoming", "open", "run1/b.txt")
        arrival = Arrival(place, ines.id, ines.account.center_id, "token", 1, "ftp", 900, 400, None, 1, 1)
        uploads.cut(arrival, length=400, reason="the connection broke")
        ftp_faults.note("ascii_upload", account_id=ines.id, address="192.0.2.7", detail="c.txt")
    return db.session.query(Upload).one().id


def state(accession):
    db.end()
    return db.session.query(Dataset).filter_by(accession=accession).one().state


def test_queue_shows_what_waits_and_a_poll_without_news_is_empty(sign_in, ruth, submitted):
    browser = sign_in(ruth)
    page = browser.get("/review").text
    assert "Kidney organoids" in page
    rev = page.split("/review?rev=")[1].split('"')[0]

    assert browser.fragment(f"/review?rev={rev}").status_code == 204
    assert browser.fragment("/review?rev=0").status_code == 200


def test_curator_approves_the_version_on_the_page(sign_in, ruth, submitted):
    browser = sign_in(ruth)
    browser.get(f"/review/{submitted}")

    assert browser.send(f"/review/{submitted}/approve", version=1).status_code == 303
    assert state(submitted) == "approved"


def test_newer_version_is_shown_instead_of_approved(sign_in, ines, ruth, submitted):
    browser = sign_in(ruth)
    browser.get(f"/review/{submitted}")
    with db.transaction():
        dataset = db.session.query(Dataset).filter_by(accession=submitted).one()
        datasets.edit(dataset, {"title": "Liver organoids"}, actor=ines.account)

    answer = browser.send(f"/review/{submitted}/approve", version=1)

    assert answer.status_code == 409
    assert "version 2 now" in answer.text
    assert "<del>Kidney </del> <ins>Liver </ins>organoids" in answer.text
    assert state(submitted) == "submitted"


def test_return_without_a_remark_keeps_the_page(sign_in, ruth, submitted):
    browser = sign_in(ruth)

    assert browser.send(f"/review/{submitted}/return", note=" ", version=1).status_code == 422
    assert browser.send(f"/review/{submitted}/return", note="Name the bank.", version=1).status_code == 303
    assert state(submitted) == "returned"
    assert "Name the bank." in browser.get(f"/review/{submitted}").text


def test_area_shows_what_broke_and_its_remedy(sign_in, ines, cut):
    page = sign_in(ines).get("/area").text

    assert "Incomplete" in page
    assert "ASCII mode" in page
    assert ines.email in page


def test_upload_is_renamed_and_deleted_by_form(sign_in, ines, cut):
    browser = sign_in(ines)

    refused = browser.send(f"/area/{cut}/rename", name="has space.txt")
    assert refused.status_code == 422
    assert "has_space.txt" in refused.text
    assert browser.send(f"/area/{cut}/rename", name="good.txt").status_code == 303
    assert db.session.get(Upload, cut).name == "good.txt"
    assert browser.send(f"/area/{cut}/delete").status_code == 303
    db.end()
    assert db.session.get(Upload, cut).state == "obsolete"


def test_tracking_shows_problems_of_the_period(sign_in, ines, cut):
    with db.transaction():
        db.session.get(Upload, cut).created_at = db.session.get(Upload, cut).received_at
    browser = sign_in(ines)

    assert "truncated_file" in browser.get("/tracking?state=problems").text
    assert "truncated_file" not in browser.get("/tracking?from=2001-01-01&to=2001-01-02").text
