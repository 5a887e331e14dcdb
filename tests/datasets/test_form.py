"""My datasets as people use them: typed, saved, refused with every word kept, sent, compared, submitted, followed."""

import hashlib
import io
import re

import pytest

from portal import db, ingest
from portal.domain.datasets import datasets
from portal.domain.files import bulk_edit, files
from portal.models import Dataset, File, Upload

INFO = {"title": "Kidney organoids", "description": "Counts.", "species": "Mus musculus", "access": "open"}


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def door(app):
    """The threads that record what arrives."""
    ingest.start("test")
    yield
    ingest.stop(5)


@pytest.fixture
def draft(app, ines):
    with db.transaction():
        made = datasets.create(actor=ines.account, files=[{"name": "a.txt"}], **INFO)
    return f"/deposit/{made.id}"


def stored(model=Dataset):
    db.end()
    return db.session.query(model).order_by(model.id).all()


def send_file(browser, address, name, data, **fields):
    browser.get(address)
    body = {"csrf_token": browser.token, **fields, "file": (io.BytesIO(data), name)}
    return browser.post(f"{address}/online", data=body, content_type="multipart/form-data")


def test_empty_list_tells_how_to_begin(sign_in, ines):
    assert "You have not deposited anything yet" in sign_in(ines).get("/deposit").text


def test_new_dataset_is_made_once_however_often_its_form_is_sent(sign_in, ines):
    browser = sign_in(ines)
    first = browser.send("/deposit/new", once="a", **INFO)
    second = browser.send("/deposit/new", once="a", **INFO)

    assert first.headers["Location"] == second.headers["Location"] == "/deposit/1"
    assert [one.title for one in stored()] == ["Kidney organoids"]


def test_refused_form_shows_every_typed_word_and_saves_nothing(sign_in, ines, draft):
    typed = {
        "title": "New <name>",
        "description": "Two\nlines",
        "species": "S",
        "bioproject": "nonsense",
        "release_date": "2027-03-01",
        "files.4.name": "b c.txt",
        "files.4.title": "A table",
        "files.4.declared_md5": "12",
    }
    answer = sign_in(ines).send(draft, **INFO | typed)

    assert answer.status_code == 422
    for word in ("New &lt;name&gt;", "Two\nlines", "nonsense", "2027-03-01", "b c.txt", "A table", 'value="12"'):
        assert word in answer.text
    for field in ("bioproject", "files.4.name", "files.4.declared_md5"):
        assert f'href="#f-{field}"' in answer.text and f'id="f-{field}-e"' in answer.text
    assert stored()[0].title == "Kidney organoids" and len(stored(File)) == 1


def test_add_more_file_keeps_what_is_typed_without_scripts(sign_in, ines, draft):
    answer = sign_in(ines).send(draft, more="1", **INFO | {"title": "Half", "files.0.name": "x.txt"})

    assert 'value="Half"' in answer.text and 'value="x.txt"' in answer.text and 'name="files.1.name"' in answer.text
    assert stored()[0].title == "Kidney organoids"


def test_saved_rows_are_declared_and_empty_ones_are_left_out(sign_in, ines, draft):
    rows = {"files.0.name": "", "files.0.unit": "samples", "files.1.name": "run/b.txt", "files.1.samples": "7"}
    assert sign_in(ines).send(draft, **INFO, **rows).status_code == 303
    assert [(one.name, one.samples) for one in stored(File)] == [("a.txt", None), ("run/b.txt", 7)]


def test_submit_saves_first_and_lists_what_is_missing(sign_in, ines, draft):
    answer = sign_in(ines).send(draft, then="submit", **INFO | {"title": "Renamed", "species": ""})

    assert answer.status_code == 422 and "Name the species" in answer.text
    assert (stored()[0].title, stored()[0].state) == ("Renamed", "draft")


@pytest.mark.parametrize("htmx", [False, True])
def test_submit_shows_its_summary_first(sign_in, ines, draft, htmx):
    answer = sign_in(ines).send(draft, htmx=htmx, then="submit", **INFO)

    where = answer.headers["HX-Redirect" if htmx else "Location"]
    assert (answer.status_code, where) == (204 if htmx else 303, f"{draft}/actions/submit")


def test_list_offers_the_actions_of_the_state_and_does_them(sign_in, ines, draft):
    browser = sign_in(ines)
    assert f"{draft}/actions/submit" in browser.get("/deposit").text
    assert browser.send(f"{draft}/actions/submit").status_code == 303
    page = browser.get("/deposit").text
    assert "/actions/recall" in page and "/actions/submit" not in page
    assert browser.send("/deposit/OMIX000001/actions/recall").status_code == 303
    assert stored()[0].state == "returned"
    assert browser.send("/deposit/OMIX000001/actions/recall").status_code == 409


def test_withdraw_asks_for_a_reason_and_keeps_it(sign_in, ines, draft):
    browser = sign_in(ines)
    browser.send(f"{draft}/actions/submit")
    browser.send("/deposit/OMIX000001/actions/recall")
    assert browser.send("/deposit/OMIX000001/actions/withdraw", note=" ").status_code == 422
    assert browser.send("/deposit/OMIX000001/actions/withdraw", note="Sent twice").status_code == 303
    assert stored()[0].state == "withdrawn"


def test_discard_is_confirmed_first(sign_in, ines, draft):
    browser = sign_in(ines)
    assert "will be gone" in browser.get(f"{draft}/actions/discard").text
    assert browser.send(f"{draft}/actions/discard").headers["Location"] == "/deposit"
    assert stored() == []


def test_file_by_the_form_arrives_whole_and_is_declared(sign_in, ines, draft, door):
    data = bytes(range(256)) * 1500  # more than the door keeps in memory
    answer = send_file(sign_in(ines), draft, "b.bin", data, folder="run1", declared_md5=md5(data), size=str(len(data)))

    assert answer.status_code == 303
    upload, file = stored(Upload)[0], stored(File)[1]
    assert (upload.name, upload.size, upload.md5, upload.via) == ("run1/b.bin", len(data), md5(data), "web")
    assert (file.name, file.state, file.upload_id) == ("run1/b.bin", "received", upload.id)


def test_file_of_a_waiting_name_is_claimed_not_declared_twice(sign_in, ines, draft, door):
    assert send_file(sign_in(ines), draft, "a.txt", b"hello").status_code == 303
    assert [(one.name, one.state) for one in stored(File)] == [("a.txt", "received")]


def test_unsafe_name_is_refused_with_the_one_we_would_take(sign_in, ines, draft, door):
    browser = sign_in(ines)
    answer = send_file(browser, draft, "b c.txt", b"hello", title="My table")

    assert answer.status_code == 422
    assert "a space" in answer.text and 'value="b_c.txt"' in answer.text and 'value="My table"' in answer.text
    assert stored(Upload) == []
    assert send_file(browser, draft, "b c.txt", b"hello", **{"as": "b_c.txt"}).status_code == 303
    assert stored(Upload)[0].name == "b_c.txt"


def test_file_that_breaks_off_leaves_nothing(sign_in, ines, draft, door):
    browser = sign_in(ines)
    browser.get(draft)
    head = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{browser.token}\r\n'
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    answer = browser.post(
        f"{draft}/online", data=head.encode() + b"x" * 300_000, content_type="multipart/form-data; boundary=b"
    )

    assert answer.status_code == 422 and "broke off" in answer.text
    assert [one.state for one in stored(Upload) if one.state != "obsolete"] == []
    assert stored(File)[0].state == "waiting"


def test_file_without_the_token_is_not_taken(sign_in, ines, draft, door):
    browser = sign_in(ines)
    body = {"file": (io.BytesIO(b"x"), "a.txt")}
    assert browser.post(f"{draft}/online", data=body, content_type="multipart/form-data").status_code == 400
    assert stored(Upload) == []


@pytest.fixture
def wrong(sign_in, ines, draft, door):
    """A file whose declared MD5 is not that of what arrived."""
    browser = sign_in(ines)
    browser.send(f"{draft}/files/1", name="a.txt", declared_md5="0" * 32)
    send_file(browser, draft, "a.txt", b"hello")
    return browser


def test_red_row_says_cause_word_remedy_and_both_digests(wrong, draft):
    page = wrong.get(draft).text
    for word in ("MD5 Checked Failed", "md5_mismatch", "0" * 32, md5(b"hello"), "Compare again", "What arrived is not"):
        assert word in page


def test_mended_md5_is_compared_in_place(wrong, draft):
    assert wrong.send(f"{draft}/files/1/md5", declared_md5=md5(b"hello")).status_code == 303
    assert stored(File)[0].state == "received"


def test_mended_md5_answers_htmx_with_the_table(wrong, draft):
    answer = wrong.send(f"{draft}/files/1/md5", htmx=True, declared_md5=md5(b"hello"))
    assert answer.status_code == 200 and "<html" not in answer.text
    assert "MD5 is equal" in answer.text and "Compare again" not in answer.text


@pytest.mark.parametrize("htmx", [False, True])
def test_malformed_md5_stays_in_its_field(wrong, draft, htmx):
    answer = wrong.send(f"{draft}/files/1/md5", htmx=htmx, declared_md5="5d414")
    assert answer.status_code == 422
    assert 'value="5d414"' in answer.text and "this has 5" in answer.text


def test_chosen_uploads_become_files_many_at_once(sign_in, ines, draft, door):
    browser = sign_in(ines)
    for name in ("b.txt", "c.txt", "d.txt"):
        send_file(browser, draft, name, name.encode())
    with db.transaction():
        dataset = db.session.query(Dataset).one()
        for number in (3, 4):
            bulk_edit.remove(dataset, [files.by_number(dataset, number).id], actor=ines.account)
    free = [one.id for one in stored(Upload) if one.name != "b.txt"]

    assert all(f'value="{one}"' in browser.get(f"{draft}/ftp").text for one in free)
    assert browser.post(f"{draft}/ftp", data={"csrf_token": browser.token, "upload": free}).status_code == 303
    living = [(one.name, one.state) for one in stored(File) if one.state != "removed"]
    assert living == [("a.txt", "waiting"), ("b.txt", "received"), ("c.txt", "received"), ("d.txt", "received")]


def test_poll_is_silent_until_something_changes(sign_in, ines, draft, door):
    browser = sign_in(ines)
    address = re.search(r'hx-get="([^"]*/files\?rev=[^"]*)"', browser.get(draft).text)[1]
    quiet = browser.fragment(address)
    assert (quiet.status_code, quiet.data, quiet.headers.get("Set-Cookie")) == (204, b"", None)

    send_file(browser, draft, "a.txt", b"hello")
    news = browser.fragment(address)
    assert news.status_code == 200 and "Archived after you submit" in news.text
    assert 'id="summary" hx-swap-oob="true"' in news.text


def test_list_polls_itself(sign_in, ines, draft):
    browser = sign_in(ines)
    address = re.search(r'hx-get="(/deposit\?rev=[^"]*)"', browser.get("/deposit").text)[1]
    assert browser.fragment(address).status_code == 204
    browser.send(f"{draft}/actions/submit")
    assert "Submitted" in browser.fragment(address).text


def test_deleted_file_leaves_its_number_unused(sign_in, ines, draft):
    browser = sign_in(ines)
    assert "Delete" in browser.get(f"{draft}/files/1/delete").text
    assert browser.send(f"{draft}/files/1/delete").status_code == 303
    browser.send(draft, **INFO, **{"files.0.name": "b.txt"})
    assert [(one.n, one.state) for one in stored(File)] == [(1, "removed"), (2, "waiting")]


def test_thousands_of_files_come_a_hundred_a_page(sign_in, ines, draft):
    with db.transaction():
        files.add(db.session.query(Dataset).one(), [{"name": f"f{n:04d}.txt"} for n in range(2000)], actor=ines.account)
    browser = sign_in(ines)
    page = browser.get(draft).text
    older = re.search(r'rel="next" href="([^"#]*)', page)[1]

    assert page.count('id="file-') == 100 and "2,001 files" in page
    assert 'id="file-101"' in browser.get(older).text
    assert "No file is like that now" in browser.get(f"{draft}?view=problems").text


def test_form_refuses_a_name_that_another_file_bears(sign_in, ines, draft):
    browser = sign_in(ines)
    with db.transaction():
        files.add(db.session.get(Dataset, 1), [{"name": "b.txt"}], actor=ines.account)

    renamed = browser.send(f"{draft}/files/2", name="a.txt")
    replaced = browser.send(f"{draft}/files/2/replace", name="a.txt")

    assert (renamed.status_code, replaced.status_code) == (422, 422)
    assert "a.txt is declared already." in renamed.text and "a.txt is declared already." in replaced.text
