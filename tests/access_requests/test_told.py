"""What readers are told of a dataset by call: nothing of a withdrawn one's files, nothing that is for curators."""

from portal import db, states
from tests.access_requests import support
from tests.conftest import INES, RUTH

INNER = {"filing_number", "human", "realm", "approved_version"}


def told(client, accession, who=None) -> tuple[dict, list]:
    headers = who.bearer() if who else {}
    whole = client.get(f"/api/v1/datasets/{accession}", headers=headers).json
    files = client.get(f"/api/v1/datasets/{accession}/files", headers=headers).json["items"]
    assert files == whole["files"]
    return whole, files


def test_files_of_a_withdrawn_dataset_are_told_to_nobody_outside(client, database):
    accession = support.release(INES, access="open")
    assert len(told(client, accession)[1]) == 2
    with db.transaction():
        support.dataset(accession).state = states.WITHDRAWN
    assert told(client, accession)[1] == told(client, accession, support.STRANGER)[1] == []
    assert len(told(client, accession, INES)[1]) == len(told(client, accession, RUTH)[1]) == 2


def test_what_is_for_curators_is_told_to_them_and_the_owner(client, database):
    accession = support.release(INES)
    with db.transaction():
        support.dataset(accession).filing_number = "FILING-4711"
    assert not INNER & set(told(client, accession)[0]) and not INNER & set(told(client, accession, support.STRANGER)[0])
    for one in (INES, RUTH):
        whole, _ = told(client, accession, one)
        assert set(whole) >= INNER and whole["filing_number"] == "FILING-4711"
