"""The operator's pages for people and centers, as a curator's browser sees them."""

import pytest
from sqlalchemy import insert, select

from portal import db
from portal.domain.accounts import accounts, centers
from portal.domain.datasets import datasets
from portal.models import Account, Center, Dataset, Event, Mail
from tests.depositing import send


def page_of(person) -> str:
    return f"/admin/people/{person.id}"


def test_people_are_found_by_parts_of_name_and_address_and_filtered(sign_in, ruth):
    client = sign_in(ruth)
    every = client.get("/admin/people").text
    assert "Ines Okafor" in every and "Mei Tanaka" in every and "1 open curator" in every
    found = client.get("/admin/people?text=OKAFOR+ines").text
    assert "ines.okafor@example.org" in found and "Mei Tanaka" not in found
    assert "Ines Okafor" not in client.get("/admin/people?role=curator").text
    assert "Nobody is like that" in client.get("/admin/people?text=100%25").text
    lab = centers.find("Harbour Lab").id
    assert "Ines Okafor" not in client.get(f"/admin/people?center={lab}").text


def test_ten_thousand_people_are_paged_by_key(sign_in, ruth):
    lab = centers.find("Harbour Lab").id
    with db.transaction():
        db.session.execute(
            insert(Account),
            [
                {
                    "email": f"p{n}@example.org",
                    "name": f"Person {n}",
                    "center_id": lab,
                    "role": "submitter",
                    "state": "active",
                    "epoch": 0,
                    "created_at": n,
                }
                for n in range(10_000)
            ],
        )
    client = sign_in(ruth)
    first = client.get("/admin/people")
    assert "p9999@" in first.text and "p9899@" not in first.text
    cursor = first.text.partition("after=")[2].partition('"')[0]
    second = client.get(f"/admin/people?after={cursor}")
    assert "p9899@" in second.text and "p9799@" not in second.text and "before=" in second.text
    assert "p77@example.org" in client.get("/admin/people?text=p77%40").text


def test_role_and_center_are_changed_on_the_page_of_a_person(sign_in, ines, ruth):
    client = sign_in(ruth)
    client.get(page_of(ines))
    assert client.send(page_of(ines), role="curator", center="Harbour Lab").status_code == 303
    assert (ines.account.role, ines.account.center.name) == ("curator", "Harbour Lab")
    page = client.get(page_of(ines)).text
    assert "account.move" in page and "account.role" in page and "Saved." in page


def test_refused_change_keeps_what_was_typed_and_changes_nothing(sign_in, ines, ruth):
    client = sign_in(ruth)
    client.get(page_of(ines))
    answer = client.send(page_of(ines), role="curator", center="Harbor Lab")
    assert answer.status_code == 422
    assert 'value="Harbor Lab"' in answer.text and "There is no center called Harbor Lab" in answer.text
    assert ines.account.role == "submitter"
    last = client.send(page_of(ruth), role="submitter", center="The Archive")
    assert last.status_code == 409 and "the last curator" in last.text
    assert ruth.account.role == "curator"


def test_link_by_hand_is_shown_once_and_lets_its_holder_in(sign_in, client, ines, ruth):
    curator = sign_in(ruth)
    curator.get(page_of(ines))
    answer = curator.send(f"{page_of(ines)}/reset")
    assert answer.headers["Cache-Control"] == "no-store"
    path = "/reset/" + answer.text.partition("/reset/")[2].partition("<")[0]
    assert path not in curator.get(page_of(ines)).text
    assert path not in "".join(mail.body for mail in db.session.scalars(select(Mail)))
    client.get(path)
    assert client.send(path, password="a brand new one").status_code == 303
    assert client.get("/account").status_code == 200
    assert client.get(path).status_code == 404


def test_invited_person_gets_a_link(sign_in, client, ruth):
    curator = sign_in(ruth)
    curator.get("/admin/people/new")
    answer = curator.send(
        "/admin/people/new", name="Nils Berg", email="nils.berg@example.org", role="submitter", center=""
    )
    path = "/reset/" + answer.text.partition("/reset/")[2].partition("<")[0]
    client.get(path)
    client.send(path, password="a brand new one")
    assert accounts.by_email("nils.berg@example.org").center.name == "Nils Berg"
    again = curator.send("/admin/people/new", name="Nils", email="nils.berg@example.org", role="submitter", center="")
    assert again.status_code == 422 and "already" in again.text and 'value="Nils"' in again.text


def test_sessions_end_when_a_curator_ends_them(sign_in, ines, ruth):
    hers, curator = sign_in(ines), sign_in(ruth)
    assert hers.get("/account").status_code == 200
    curator.get(page_of(ines))
    curator.send(f"{page_of(ines)}/sign-out")
    assert hers.get("/account").status_code == 303


def test_account_is_closed_on_a_page_of_its_own_and_opened_again(sign_in, ines, ruth):
    curator = sign_in(ruth)
    assert "Datasets and uploads stay" in curator.get(f"{page_of(ines)}/close").text
    curator.send(f"{page_of(ines)}/close")
    assert "Closed" in curator.get(page_of(ines)).text and ines.account.state == "closed"
    curator.send(f"{page_of(ines)}/reopen")
    assert ines.account.state == "active" and ines.account.password_hash is None
    assert curator.send(f"{page_of(ruth)}/close").status_code == 409


def test_names_of_people_and_centers_are_text_and_never_markup(sign_in, ines, ruth):
    with db.transaction():
        accounts.rename(ines.account, "<b>Ines</b>", actor=ines.account)
        centers.rename(centers.find("Northmere Institute"), '"><i>North', actor=ruth.account)
    client = sign_in(ruth)
    home = centers.find('"><i>North').id
    for address in ("/admin/people", page_of(ines), "/admin/centers", f"/admin/centers/{home}", "/admin/events"):
        page = client.get(address).text
        assert "<b>Ines" not in page and "<i>North" not in page


def test_centers_show_their_use_and_get_other_quotas(sign_in, receiving, ruth):
    send("a.bin", b"x" * 2048)
    home = centers.find("Northmere Institute").id
    client = sign_in(ruth)
    assert "2.05 kB of 1.10 TB" in client.get("/admin/centers").text
    here = f"/admin/centers/{home}"
    client.get(here)
    wrong = client.send(here, center="Northmere", quota_open="lots", quota_protected="")
    assert wrong.status_code == 422 and 'value="lots"' in wrong.text
    assert centers.find("Northmere") is None
    client.send(here, center="Northmere", quota_open="3", quota_protected="0")
    changed = db.session.get(Center, home, populate_existing=True)
    assert (changed.name, changed.quota_open, changed.quota_protected) == ("Northmere", 3_000_000_000, 0)
    assert 'value="3"' in client.get(here).text


def test_center_is_made_and_not_made_twice(sign_in, ruth):
    client = sign_in(ruth)
    client.get("/admin/centers")
    assert client.send("/admin/centers", center="Fjord Station").status_code == 303
    again = client.send("/admin/centers", center="Fjord Station")
    assert again.status_code == 422 and "already" in again.text
    assert db.session.scalar(select(Event.action).order_by(Event.id.desc())) == "center.create"


@pytest.mark.parametrize(
    "address", ["/admin/people/99999", "/admin/centers/99999", "/admin/people/9999999999999999999"]
)
def test_what_is_not_there_is_not_found(sign_in, ruth, address):
    assert sign_in(ruth).get(f"/admin/{address}").status_code == 404


def test_datasets_are_handed_over_on_a_page_that_says_what_stays(sign_in, ines, stranger, ruth):
    with db.transaction():
        datasets.create(actor=ines.account, title="Plan")
    client = sign_in(ruth)
    assert "Hand datasets over" in client.get(page_of(ines)).text
    here = f"{page_of(ines)}/hand-over"
    client.get(here)
    wrong = client.send(here, email="nobody@example.org", datasets="")
    assert wrong.status_code == 422 and "Nobody here has the address nobody@example.org." in wrong.text
    some = client.send(here, email=stranger.email, datasets="omix000009")
    assert some.status_code == 200 and "Ines Okafor has no dataset OMIX000009." in some.text
    assert client.send(here, email=stranger.email, datasets="").status_code == 303
    assert db.session.scalar(select(Dataset.account_id)) == stranger.id
    assert "Plan" in sign_in(stranger).get("/deposit").text
