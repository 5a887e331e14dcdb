"""'Add or Replace File' as its submitter meets it, by page and by program."""

import pytest

from portal import ingest
from tests import depositing
from tests.conftest import INES
from tests.web.api.test_api import Program

NEW = b"new counts, and right ones\n"


@pytest.fixture
def dataset_id(database, run_jobs):
    ingest.start("test")
    yield depositing.submit({"run/counts.tsv": b"old counts\n"})
    ingest.stop()


@pytest.fixture
def browser(sign_in):
    return sign_in(INES)


def test_archived_file_is_replaced_by_form_and_browser(browser, dataset_id, run_jobs):
    run_jobs()
    ref = depositing.get(dataset_id).accession
    assert "Replace" in browser.get(f"/deposit/{ref}").text
    page = browser.get(f"/deposit/{ref}/files/1/replace").text
    assert "archived bytes stay until" in page and 'value="run/counts.tsv"' in page

    answer = browser.send(f"/deposit/{ref}/files/1/replace", name="run/counts.tsv", declared_md5=depositing.md5(NEW))
    assert answer.location == f"/deposit/{ref}/online?for=2"
    online = browser.get(answer.location).text
    assert 'data-as="run/counts.tsv"' in online and 'value="counts.tsv"' in online and 'value="run"' in online
    shown = browser.get(f"/deposit/{ref}").text
    assert "Replaces -01 once it is archived" in shown and "Stays until -02 is archived" in shown
    assert "is to replace it already" in browser.get(f"/deposit/{ref}/files/1/replace").text

    depositing.send("run/counts.tsv", NEW)
    run_jobs()
    assert depositing.states_of(dataset_id) == ["replaced", "archived"]
    assert "Replaced" in browser.get(f"/deposit/{ref}?view=aside").text


def test_upload_that_arrived_takes_the_place(browser, dataset_id, run_jobs):
    run_jobs()
    depositing.send("v2.tsv", NEW)
    ref = depositing.get(dataset_id).accession
    assert "v2.tsv" in browser.get(f"/deposit/{ref}/files/1/replace").text

    answer = browser.send(
        f"/deposit/{ref}/files/1/replace", name="run/counts.tsv", chosen=depositing.upload_of("v2.tsv").id
    )
    assert answer.location.endswith("#file-2")
    run_jobs()
    assert depositing.states_of(dataset_id) == ["replaced", "archived"]


@pytest.mark.parametrize(
    ("given", "sentence"), [({"name": "a b.tsv"}, "a space"), ({"name": "b.tsv", "declared_md5": "short"}, "32")]
)
def test_what_was_typed_stays_with_the_fault(browser, dataset_id, run_jobs, given, sentence):
    run_jobs()
    answer = browser.send(f"/deposit/{dataset_id}/files/1/replace", **given)

    assert answer.status_code == 422
    assert sentence in answer.text and f'value="{given["name"]}"' in answer.text


def test_program_replaces_a_file(app, dataset_id, run_jobs):
    run_jobs()
    call, path = Program(app, INES), f"/datasets/{dataset_id}/files/1/replacement"
    answer = call("POST", path, json={"md5": depositing.md5(NEW)})

    assert (answer.status_code, answer.json["number"], answer.json["state"]) == (201, 2, "waiting")
    assert answer.json["replaces"] == 1
    again = call("POST", path, json={})
    assert (again.status_code, again.json["detail"]) == (
        409,
        "File -02 is to replace it already. Send its bytes, or delete -02.",
    )
