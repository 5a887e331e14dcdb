"""Datasets of somebody who leaves: what is archived goes to the heir, what lies in an area stays and says so."""

import json

import pytest
from sqlalchemy import select

from portal import clock, db, errors
from portal.domain.accounts import accounts, centers
from portal.domain.datasets import datasets, handover
from portal.domain.permissions import access
from portal.models import Account, Dataset, Event, Mail
from tests import depositing as deposit
from tests.conftest import INES, RUTH, STRANGER

pytestmark = pytest.mark.usefixtures("receiving")


def archived(run_jobs, **fields) -> int:
    dataset_id = deposit.submit({"a.txt": b"a"}, **fields)
    run_jobs()
    return dataset_id


def over(accessions=(), heir: Account | None = None):
    with db.transaction():
        return handover.hand_over_all(
            INES.account, heir or STRANGER.account, accessions=list(accessions), actor=RUTH.account
        )


def test_archived_dataset_changes_hands_with_its_rights_and_its_center_stays(run_jobs):
    dataset_id = archived(run_jobs)
    (done, stayed) = over()
    assert ([one.id for one in done], stayed) == ([dataset_id], {})
    dataset = deposit.get(dataset_id)
    assert access.is_owner(dataset, STRANGER.account) and not access.is_owner(dataset, INES.account)
    assert dataset.center.name == "Northmere Institute"
    event = db.session.scalar(select(Event).where(Event.action == "hand_over"))
    assert (event.before, event.after) == ({"submitter": INES.email}, {"submitter": STRANGER.email})
    assert "OMIX000001, Counts" in db.session.scalar(select(Mail.body).where(Mail.to == STRANGER.email))
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), {"title": "Mine"}, actor=STRANGER.account)


def test_bag_names_who_holds_the_dataset_now(run_jobs):
    dataset_id = archived(run_jobs)
    deposit.approve(dataset_id)
    deposit.run_until_idle(run_jobs, clock)
    over()
    deposit.run_until_idle(run_jobs, clock)
    said = (deposit.bag_of(dataset_id) / "metadata.json").read_text()
    assert STRANGER.email in said and INES.email not in said
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))


def test_what_lies_in_the_area_stays_and_says_why():
    waiting = deposit.submit({"a.txt": b"a"})
    with db.transaction():
        draft = datasets.create(actor=INES.account, title="Plan", files=[{"name": "later.txt"}]).id
    (done, stayed) = over()
    assert [one.id for one in done] == [draft]
    assert reasons(stayed) == {"OMIX000001": ("handover_files_left", {"count": 1, "name": "Ines Okafor"})}
    assert deposit.get(waiting).account_id == INES.id


def test_only_the_named_ones_go_and_strange_names_are_told(run_jobs):
    archived(run_jobs)
    with db.transaction():
        datasets.create(actor=INES.account, title="Plan")
    done, stayed = over(["OMIX000001", "OMIX000777"])
    assert [one.accession for one in done] == ["OMIX000001"]
    assert reasons(stayed) == {"OMIX000777": ("handover_not_owned", {"name": "Ines Okafor", "accession": "OMIX000777"})}


def reasons(stayed: dict) -> dict[str, tuple]:
    return {name: (message.code, message.values) for name, message in stayed.items()}


def test_nobody_takes_over_into_a_closed_account():
    with db.transaction():
        datasets.create(actor=INES.account, title="Plan")
        accounts.close(STRANGER.account, actor=None)
    with pytest.raises(errors.Conflict) as refused:
        over()
    assert (refused.value.message.code, refused.value.message.values["state"]) == ("heir_not_open", "closed")


def test_search_finds_the_names_that_hold_now(run_jobs):
    dataset_id = archived(run_jobs)

    def found(words: str) -> bool:
        db.end()
        text = db.session.scalar(select(Dataset.search_text).where(Dataset.id == dataset_id))
        return all(word in text for word in words.split())

    assert found("ines okafor northmere institute")
    with db.transaction():
        centers.rename(centers.find("Northmere Institute"), "Norðmere %_ Campus", actor=RUTH.account)
        accounts.rename(INES.account, "Ines A. Okafor", actor=INES.account)
    assert found("ines a. okafor norðmere %_ campus") and not found("institute")
    over()
    assert found("mei tanaka campus") and not found("okafor")


RECORDS = ("cite.bib", "metadata.jsonld", "datacite.json", "datacite.xml", "ro-crate-metadata.json")


def record_of(client, ref: str) -> dict[str, str]:
    """All that a released dataset says of itself, by address; the landing page without what differs by request."""
    db.end()
    pages = {name: client.get(f"/datasets/{ref}/{name}").text for name in RECORDS}
    answer = client.get(f"/api/v1/datasets/{ref}").json
    landing = client.get(f"/datasets/{ref}").text
    return pages | {"api": answer, "landing": landing[landing.index("<main") : landing.index("</main>")]}


def released(run_jobs, **fields) -> int:
    dataset_id = archived(run_jobs, **fields)
    deposit.approve(dataset_id)
    deposit.ask_release(dataset_id)
    deposit.run_until_idle(run_jobs, clock)
    assert deposit.get(dataset_id).state == "released"
    return dataset_id


def test_released_record_says_what_it_said_whoever_owns_it_or_is_renamed(run_jobs, client):
    dataset_id = released(run_jobs)
    ref = deposit.get(dataset_id).accession
    said = record_of(client, ref)
    assert all("Ines Okafor" in str(text) for text in said.values())
    clock.shift(3 * clock.DAY)
    over()
    with db.transaction():
        accounts.rename(INES.account, "Ines A. Marsh", actor=INES.account)
        accounts.rename(STRANGER.account, "Mei T. Sato", actor=STRANGER.account)
    deposit.run_until_idle(run_jobs, clock)
    assert record_of(client, ref) == said
    assert access.is_owner(deposit.get(dataset_id), STRANGER.account)
    assert "ines okafor" in deposit.get(dataset_id).search_text
    bag = json.loads((deposit.bag_of(dataset_id) / "metadata.json").read_text())
    assert (bag["owner"], bag["recorded_submitter"]) == (STRANGER.email, "Ines Okafor"), "a rebuild keeps both"


def test_handover_before_release_keeps_who_is_cited(run_jobs, client):
    dataset_id = archived(run_jobs)
    over()
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), {"release_date": "2020-01-01"}, actor=STRANGER.account)
    deposit.approve(dataset_id)
    deposit.run_until_idle(run_jobs, clock)
    ref = deposit.get(dataset_id).accession
    assert deposit.get(dataset_id).state == "released"
    assert client.get(f"/datasets/{ref}/datacite.json").json["creators"][0]["name"] == "Ines Okafor"
