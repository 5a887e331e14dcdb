"""What came under the name of a file and was not taken by itself: the pages and the API ask, and somebody says so."""

import io

import pytest

from portal import db, states
from portal.domain.accounts import editors, tokens
from portal.models import Dataset, Upload
from tests import depositing as deposit
from tests.conftest import INES
from tests.files.test_belonging import bytes_of, declare, in_box

pytestmark = pytest.mark.usefixtures("receiving")


@pytest.fixture
def browser(sign_in):
    return sign_in(INES)


@pytest.fixture
def call(app):
    with db.transaction():
        key = tokens.issue(INES.account, "api")
    client = app.test_client()
    return lambda method, address, **more: client.open(
        address, method=method, headers={"Authorization": f"Bearer {key}"}, **more
    )


def newer(send) -> tuple[int, int]:
    """A draft whose file is good, and an upload that came under its name since."""
    send("a.txt", b"old")
    dataset_id = declare("a.txt")
    return dataset_id, send("a.txt", b"new").upload_id


def test_page_offers_what_came_under_the_name_of_a_good_file_and_takes_it_when_told(send, browser):
    dataset_id, upload_id = newer(send)
    assert "A newer file of this name arrived" in browser.get(f"/deposit/{dataset_id}").text
    page = browser.get(f"/deposit/{dataset_id}/files/1").text
    assert f"upload {upload_id}" in page and "Use it" in page
    assert bytes_of(dataset_id) == {"a.txt": b"old"}

    answer = browser.send(f"/deposit/{dataset_id}/files/1/use", upload=upload_id)
    assert answer.status_code == 303 and bytes_of(dataset_id) == {"a.txt": b"new"} and in_box() == {}
    assert "A newer file" not in browser.get(f"/deposit/{dataset_id}").text


def test_identical_bytes_and_older_ones_are_no_offer(send, browser):
    send("a.txt", b"same")
    dataset_id = declare("a.txt")
    send("a.txt", b"same")
    send("x/a.txt", b"elsewhere")
    assert "newer file" not in browser.get(f"/deposit/{dataset_id}").text


def test_two_drafts_that_wait_for_one_name_both_ask(send, browser):
    first, second = declare("a.txt"), declare("a.txt")
    upload_id = send("a.txt", b"x").upload_id
    for dataset_id in (first, second):
        assert "Use it" in browser.get(f"/deposit/{dataset_id}/files/1").text
    browser.send(f"/deposit/{second}/files/1/use", upload=upload_id)
    assert (bytes_of(first), bytes_of(second)) == ({"a.txt": None}, {"a.txt": b"x"})
    assert "went to another draft" in browser.get(f"/deposit/{first}").text


def test_archived_file_is_replaced_by_what_is_used(send, browser, run_jobs):
    dataset_id = deposit.submit({"a.txt": b"old"})
    run_jobs()
    upload_id = send("a.txt", b"new").upload_id
    browser.send(f"/deposit/{dataset_id}/files/1/use", upload=upload_id)
    assert deposit.states_of(dataset_id) == ["archived", "checking"]
    run_jobs()
    assert deposit.states_of(dataset_id) == ["replaced", "archived"]


def test_upload_of_somebody_else_or_of_a_dataset_is_not_used(send, browser, colleague):
    dataset_id, _upload = newer(send)
    theirs = send("a.txt", b"theirs", person=colleague).upload_id
    taken = deposit.files_of(declare())
    assert taken == [] and browser.send(f"/deposit/{dataset_id}/files/1/use", upload=theirs).status_code == 404
    other = send("b.txt", b"b", dataset_id=declare()).upload_id
    assert browser.send(f"/deposit/{dataset_id}/files/1/use", upload=other).status_code == 409
    assert bytes_of(dataset_id) == {"a.txt": b"old"}


def test_area_gives_what_is_ticked_to_a_dataset_or_to_a_new_one(send, browser):
    waiting = declare("b.txt")
    ids = [send(name, name.encode()).upload_id for name in ("a.txt", "run/c.txt", "d.txt")]
    assert f"Draft {waiting}" in browser.send("/area/chosen/give", id=ids).text
    assert browser.send("/area/chosen/give/done", id=ids).status_code == 422
    assert browser.send("/area/chosen/give/done", id=ids[:2], dataset=waiting).status_code == 303
    assert bytes_of(waiting) == {"b.txt": None, "a.txt": b"a.txt", "run/c.txt": b"run/c.txt"}

    browser.send("/area/chosen/give/done", id=ids[2:], dataset="new")
    made = db.session.query(Dataset).order_by(Dataset.id.desc()).first()
    assert bytes_of(made.id) == {"d.txt": b"d.txt"} and in_box() == {}


def test_nothing_is_given_where_a_good_file_has_the_name_or_the_bytes_are_protected(send, browser):
    dataset_id, upload_id = newer(send)
    refused = browser.send("/area/chosen/give/done", id=[upload_id], dataset=dataset_id)
    assert refused.status_code == 422 and "open its page and use them" in refused.text
    protected = send("p.txt", b"p", realm="protected").upload_id
    assert "protected area" in browser.send("/area/chosen/give/done", id=[protected], dataset=dataset_id).text
    browser.send("/area/chosen/give/done", id=[protected], dataset="new")
    assert db.session.query(Dataset).order_by(Dataset.id.desc()).first().access == "controlled"


def test_dataset_chosen_by_hand_gets_what_another_waits_for(send, browser):
    """Choosing names the dataset; waiting elsewhere holds nothing back."""
    declare("a.txt")
    declare("a.txt")
    upload_id = send("a.txt", b"x").upload_id
    chosen = declare()
    browser.send(f"/deposit/{chosen}/ftp", upload=[upload_id])
    assert bytes_of(chosen) == {"a.txt": b"x"}


def test_area_page_acts_on_no_other_upload_of_the_name(send, browser):
    """What was sent for a dataset is listed too; renaming it there would rename what lies in the box beside it."""
    dataset_id = declare()
    sent = send("a.txt", b"for it", dataset_id=dataset_id).upload_id
    send("a.txt", b"boxed")
    for verb in ("rename", "copy"):
        assert browser.send(f"/area/{sent}/{verb}", name="z.txt").status_code == 409
    assert browser.send(f"/area/{sent}/delete").status_code == 409
    assert in_box() == {"a.txt": b"boxed"} and bytes_of(dataset_id) == {"a.txt": b"for it"}


def test_form_in_the_browser_sends_for_its_dataset(browser, send):
    send("a.txt", b"boxed")
    dataset_id = declare()
    browser.get(f"/deposit/{dataset_id}/online")
    given = {"csrf_token": browser.token, "title": "Counts", "file": (io.BytesIO(b"one"), "a.txt")}
    answer = browser.post(f"/deposit/{dataset_id}/online", data=given, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert bytes_of(dataset_id) == {"a.txt": b"one"} and in_box() == {"a.txt": b"boxed"}
    assert deposit.files_of(dataset_id)[0].title == "Counts"


def test_api_sends_for_a_dataset_and_uses_an_offer(send, call):
    dataset_id = declare()
    answer = call("PUT", f"/api/v1/datasets/{dataset_id}/uploads/run/a.txt", data=b"one")
    assert answer.status_code == 201
    again = call("PUT", f"/api/v1/datasets/{dataset_id}/uploads/run/a.txt", data=b"one")
    assert (again.status_code, again.json["id"]) == (200, answer.json["id"])
    upload_id = send("run/a.txt", b"two").upload_id
    (file,) = call("GET", f"/api/v1/datasets/{dataset_id}/files").json["items"]
    assert file["offers"] == [upload_id]
    used = call("PUT", f"/api/v1/datasets/{dataset_id}/files/1/upload", json={"upload": upload_id})
    assert (used.json["upload"], used.json["offers"]) == (upload_id, [])
    assert bytes_of(dataset_id) == {"run/a.txt": b"two"}
    assert db.session.get_one(Upload, answer.json["id"]).state == states.OBSOLETE


def test_api_refuses_a_released_dataset_and_a_companion(call):
    dataset_id = declare()
    assert call("PUT", f"/api/v1/datasets/{dataset_id}/uploads/._a", data=b"x").status_code == 422
    assert call("PUT", "/api/v1/datasets/OMIX000099/uploads/a", data=b"x").status_code == 404


def test_area_says_who_waits_for_what_none_took(send, browser):
    first, second = declare("a.txt"), declare("a.txt")
    send("a.txt", b"x")
    page = browser.get("/area").text
    assert page.count("Waited for") == 2
    for dataset_id in (first, second):
        assert f"/deposit/{dataset_id}/files/1#offers" in page


def test_replacement_that_is_chosen_is_taken_whoever_waits_for_it(send, browser):
    dataset_id, other = declare("a.txt"), declare("b.txt")
    declare("b.txt")
    send("a.txt", b"old")
    chosen = send("b.txt", b"new").upload_id
    assert bytes_of(other) == {"b.txt": None}
    browser.send(f"/deposit/{dataset_id}/files/1/replace", name="a.txt", chosen=chosen)
    assert bytes_of(dataset_id) == {"b.txt": b"new"} and in_box() == {"a.txt": b"old"}


def test_companion_sent_for_a_dataset_is_not_chosen(browser, receiving):
    from portal.ingest import upload_session

    dataset_id = declare()
    session = upload_session.open(INES.id, realm="open", name="._a.txt", via="ftp", dataset_id=dataset_id)
    session.write(b"mac")
    session.finish()
    assert "._a.txt" not in browser.get(f"/deposit/{dataset_id}/ftp").text
    assert browser.send(f"/deposit/{dataset_id}/ftp", all="1").status_code == 303
    assert deposit.files_of(dataset_id) == []


def test_metadata_sent_for_a_dataset_is_its_file_and_no_delivery(receiving, run_jobs):
    from portal.ingest import upload_session

    dataset_id = declare()
    session = upload_session.open(INES.id, realm="open", name="run/p.xml", via="ftp", dataset_id=dataset_id)
    session.write(b"<SAMPLE_SET/>")
    session.finish()
    run_jobs()
    assert bytes_of(dataset_id) == {"run/p.xml": b"<SAMPLE_SET/>"} and in_box() == {}


def test_upload_of_a_co_submitter_is_told_and_theirs_to_give(send, browser, sign_in, colleague):
    dataset_id = declare("a.txt")
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        editor = editors.invite(dataset, colleague.email, actor=INES.account)
        editors.answer(editor.id, accept=True, actor=colleague.account)
    send("a.txt", b"mine")
    send("a.txt", b"theirs", person=colleague)
    assert bytes_of(dataset_id) == {"a.txt": b"mine"}
    assert "who can use it" in browser.get(f"/deposit/{dataset_id}/files/1").text
    assert "Use it" not in browser.get(f"/deposit/{dataset_id}/files/1").text
    assert "Use it" in sign_in(colleague).get(f"/deposit/{dataset_id}/files/1").text
