"""What the pages of quotas, history, release and search do, done by a program."""

import pytest
from sqlalchemy import select

from portal import clock, db
from portal.domain.accounts import centers
from portal.domain.datasets import datasets
from portal.models import Event, Mail, Upload
from tests import depositing as deposit
from tests.conftest import INES, RUTH, STRANGER
from tests.state_guard import states_unguarded
from tests.web.api.test_api import Program

GIB = 1 << 30


@pytest.fixture
def call(app, ines):
    return Program(app, INES)


@pytest.fixture
def as_curator(app, ruth):
    return Program(app, RUTH)


def released(title: str, at: int, state: str = "released", person=INES, **fields) -> int:
    given = {"description": "Plain.", "species": "Mus musculus", "access": "open"} | fields
    with states_unguarded():
        made = datasets.create(actor=person.account, title=title, **given)
        made.state, made.released_at, made.accession = state, at, f"OMIX{at:06d}"
        return made.id


def test_more_room_is_asked_for_and_given(call, as_curator):
    asked = call("POST", "/area/quota", json={"note": "2 TB for images."})
    home = asked.json
    assert (asked.status_code, home["asked"]["note"]) == (201, "2 TB for images.")
    (found,) = [one for one in as_curator("GET", "/centers").json["items"] if one["asked"]]
    assert (found["name"], found["open"]["quota"], found["open"]["own"]) == ("Northmere Institute", 1024 * GIB, False)

    path = f"/centers/{found['id']}"
    answer = as_curator("PATCH", path, json={"quota_gib": {"open": 3000, "protected": 7}}).json
    again = as_curator("PATCH", path, json={"quota_gib": {"protected": None}}).json

    assert (answer["open"]["quota"], answer["protected"]["quota"]) == (3000 * GIB, 7 * GIB)
    assert (again["open"]["quota"], again["protected"]["quota"], again["name"]) == (
        3000 * GIB,
        1024 * GIB,
        found["name"],
    )
    assert call("GET", "/area/quota").json["asked"] is None
    (mail,) = db.session.scalars(select(Mail).where(Mail.to == INES.email))
    assert "open realm: 3.22 TB" in mail.body


def test_asking_all_the_time_is_refused(call):
    answers = [call("POST", "/area/quota", json={"note": f"More, {n}."}).status_code for n in range(4)]
    assert answers == [201, 201, 201, 429]


WRONG = [
    {"name": " "},
    {"name": "Harbour Lab"},
    {"quota_gib": {"open": "many"}},
    {"quota_gib": {"opened": 1}},
    {"quota_gib": 3},
    {"quota_gib": {"open": True}},
]


@pytest.mark.parametrize("given", WRONG)
def test_center_is_not_changed_by_what_is_no_name_or_quota(as_curator, given):
    home = centers.find("Northmere Institute").id

    assert as_curator("PATCH", f"/centers/{home}", json=given).status_code == 422
    assert centers.find("Northmere Institute").quota_open is None


def test_centers_are_listed_in_pages(as_curator):
    for n in range(3):
        assert as_curator("POST", "/centers", json={"name": f"Lab {n}"}).json["name"] == f"Lab {n}"
    names, path = [], "/centers?limit=2"
    while path:
        page = as_curator("GET", path).json
        names += [one["name"] for one in page["items"]]
        path = page["next"] and page["next"].partition("/api/v1")[2]

    assert names[:3] == ["Lab 2", "Lab 1", "Lab 0"]
    assert len(names) == len(set(names)) == 6


def test_day_of_receipt_is_corrected_and_both_are_kept(receiving, as_curator):
    deposit.submit({"a.bin": b"one"})
    upload = deposit.upload_of("a.bin").id

    answer = as_curator("PUT", f"/uploads/{upload}/received", json={"received": "2020-02-29", "note": "Old server."})
    wrong = as_curator("PUT", f"/uploads/{upload}/received", json={"received": "yesterday"})

    assert answer.json["received"].startswith("2020-02-2")
    assert wrong.status_code == 422
    event = db.session.scalars(select(Event).where(Event.action == "upload.date")).one()
    assert (event.after, event.note) == ({"received": "2020-02-29"}, "Old server.")
    assert event.before["received"] == clock.today("UTC").isoformat()
    assert db.session.get(Upload, upload).received_at < clock.now() - clock.DAY


def test_history_says_who_changed_what(call, as_curator, app):
    dataset = call("POST", "/datasets", json={"title": "First", "description": "D", "files": [{"name": "a.txt"}]}).json
    call("PATCH", f"/datasets/{dataset['id']}", json={"title": "Second"})

    first = call("GET", f"/datasets/{dataset['id']}/history?limit=1").json
    rest = call("GET", first["next"].partition("/api/v1")[2]).json

    (newest,) = first["items"]
    assert (newest["action"], newest["by"]) == ("edit", "Ines Okafor")
    assert newest["changes"] == [{"what": "Dataset name", "before": "First", "after": "Second", "file": None}]
    assert [one["action"] for one in rest["items"]] == ["add_files"]
    assert Program(app, STRANGER)("GET", f"/datasets/{dataset['id']}/history").status_code == 404


def test_due_releases_say_what_is_in_the_way(receiving, as_curator, run_jobs):
    tomorrow = clock.today("UTC").fromordinal(clock.today("UTC").toordinal() + 1).isoformat()
    due = deposit.submit({"a.bin": b"one"}, release_date=tomorrow)
    later = deposit.submit({"b.bin": b"two"}, release_date="2099-01-01")
    for one in (due, later):
        deposit.run_until_idle(run_jobs, clock)
        deposit.approve(one)

    items = as_curator("GET", "/releases?days=2").json["items"]
    (first,) = as_curator("GET", "/releases?days=366&limit=1").json["items"]

    assert [one["id"] for one in items] == [first["id"]] == [due]
    assert items[0]["opens"] is (items[0]["obstacles"] == [])
    deposit.ask_release(later)
    page = as_curator("GET", "/releases?days=2&limit=1").json
    rest = as_curator("GET", page["next"].partition("/api/v1")[2]).json
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == {due, later}
    assert rest["next"] is None
    assert deposit.get(due).state == "approved"


def test_search_finds_what_the_page_finds(app, client):
    for n, title in enumerate(["Kidney organoids", "Kidney stones", "Liver"], start=1):
        released(title, n, access="controlled" if n == 2 else "open")
    released("Kidney, hidden", 9, state="suppressed")
    released("Kidney, waiting", 10, state="approved")

    def found(query: str) -> list[str]:
        return [one["title"] for one in client.get(f"/api/v1/search?{query}").json["items"]]

    assert found("q=kidney") == ["Kidney stones", "Kidney organoids"]
    assert found("q=kidney+STONES") == ["Kidney stones"]
    assert found("q=kidney&access=open") == ["Kidney organoids"]
    assert found("q=hidden") == found("q=waiting") == found("type=Images") == []
    assert found("") == ["Liver", "Kidney stones", "Kidney organoids"]
    first = client.get("/api/v1/search?limit=2").json
    second = client.get(first["next"].partition("localhost")[2]).json
    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    assert {"accession", "species", "center", "released", "files", "size", "url"} <= set(first["items"][0])
