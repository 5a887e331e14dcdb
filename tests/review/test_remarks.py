"""The thread of remarks on both sides' pages, by form, fragment and API; what a curator sees as new."""

import pytest

from portal import db
from portal.domain.accounts import accounts, tokens
from portal.domain.datasets import datasets, remarks, reviews
from portal.domain.files import files
from portal.models import Dataset
from tests.conftest import INES, RUTH

SECRET = "Ask the ethics board first."


@pytest.fixture
def submitted(app) -> str:
    with db.transaction():
        made = datasets.create(
            actor=INES.account,
            title="Kidney organoids",
            description="D",
            species="S",
            files=[{"name": "a.txt"}, {"name": "b.txt"}],
        )
        reviews.submit(made, actor=INES.account)
    return made.accession or ""


def dataset(accession) -> Dataset:
    return db.session.query(Dataset).filter_by(accession=accession).one()


def say(accession, text, who, **more):
    with db.transaction():
        return remarks.add(dataset(accession), text, actor=who.account, **more).id


@pytest.fixture
def call(client):
    def ask(who, method, path, body=None):
        with db.transaction():
            account = accounts.by_email(who.email)
            assert account is not None
            secret = tokens.issue(account, "api")
        return client.open(f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}"})

    return ask


def test_remark_and_its_answer_stand_on_both_pages(sign_in, submitted):
    ruth, ines = sign_in(RUTH), sign_in(INES)
    ruth.get(f"/review/{submitted}")
    sent = ruth.send(f"/datasets/{submitted}/remarks", text="Which bank?\nAnd vote?", about="file-2")
    assert (sent.status_code, sent.location) == (303, f"/review/{submitted}#thread")

    page = ines.get(f"/deposit/{submitted}").text
    assert "Which bank?\nAnd vote?" in page and "File -02, b.txt" in page and "1 open remark" in page
    sent = ines.send(f"/datasets/{submitted}/remarks", text="Northmere.", answers="1")
    assert (sent.status_code, sent.location) == (303, f"/deposit/{submitted}#thread")
    assert "Northmere." in ruth.get(f"/review/{submitted}").text


def test_htmx_gets_the_changed_fragment_alone(sign_in, submitted):
    ines = sign_in(INES)
    ines.get(f"/deposit/{submitted}")
    answer = ines.send(f"/datasets/{submitted}/remarks", htmx=True, text="A question.", about="release")
    assert answer.status_code == 200 and answer.text.lstrip().startswith("<section") and "A question." in answer.text
    done = ines.send(f"/datasets/{submitted}/remarks/1/done", htmx=True)
    assert done.text.lstrip().startswith('<div id="remarks"') and "Open again" in done.text


def test_refused_remark_keeps_what_was_typed(sign_in, submitted):
    ines = sign_in(INES)
    ines.get(f"/deposit/{submitted}")
    answer = ines.send(f"/datasets/{submitted}/remarks", text="x" * 5001, about="release")

    assert answer.status_code == 422
    assert "x" * 5001 in answer.text and 'value="release" selected' in answer.text and "At most 5000" in answer.text


def test_private_remark_reaches_no_page_of_the_submitter(sign_in, submitted):
    say(submitted, SECRET, RUTH, public=False, file=1)
    ines, ruth = sign_in(INES), sign_in(RUTH)

    for page in ("", "/files/1", "/files/1/delete"):
        assert SECRET not in ines.get(f"/deposit/{submitted}{page}").text
    assert SECRET not in ines.get(f"/datasets/{submitted}/remarks/new").text
    assert ines.fragment(f"/datasets/{submitted}/remarks?after=0").status_code == 204
    assert SECRET in ruth.get(f"/review/{submitted}").text


def test_private_remark_reaches_no_call_of_the_submitter(call, submitted):
    private = call(RUTH, "POST", f"/datasets/{submitted}/remarks", {"text": SECRET, "private": True, "file": 1}).json
    call(RUTH, "POST", f"/datasets/{submitted}/remarks", {"text": "Which bank?"})

    for path in (f"/datasets/{submitted}/remarks", "/events", f"/datasets/{submitted}"):
        assert SECRET not in call(INES, "GET", path).text
    assert "remark.private" not in call(INES, "GET", "/events").text
    assert [one["text"] for one in call(RUTH, "GET", f"/datasets/{submitted}/remarks").json["items"]] == [
        SECRET,
        "Which bank?",
    ]
    assert call(INES, "PATCH", f"/datasets/{submitted}/remarks/{private['id']}", {"done": True}).status_code == 404


def test_remarks_by_api(call, submitted):
    made = call(RUTH, "POST", f"/datasets/{submitted}/remarks", {"text": "Which bank?", "section": "info"})
    number = made.json["id"]
    answer = call(INES, "POST", f"/datasets/{submitted}/remarks", {"text": "Northmere.", "answers": number}).json
    done = call(INES, "PATCH", f"/datasets/{submitted}/remarks/{number}", {"done": True}).json
    first = call(INES, "GET", f"/datasets/{submitted}/remarks?limit=1").json

    assert (made.status_code, made.json["role"], answer["role"]) == (201, "curator", "submitter")
    assert (answer["section"], answer["answers"], done["done"]) == ("info", number, True)
    assert len(first["items"]) == 1 and first["next"].endswith(f"after={number}")
    for body in ({"text": ""}, {"text": "x", "file": "1"}, {"text": "x", "section": "colour"}):
        assert call(RUTH, "POST", f"/datasets/{submitted}/remarks", body).status_code == 422


def test_poll_tells_of_new_remarks_and_is_silent_without(sign_in, submitted):
    ines = sign_in(INES)
    page = ines.get(f"/deposit/{submitted}").text
    assert f"/datasets/{submitted}/remarks?after=0" in page
    assert ines.fragment(f"/datasets/{submitted}/remarks?after=0").status_code == 204
    number = say(submitted, "Which bank?", RUTH)

    assert "1 new remark" in ines.fragment(f"/datasets/{submitted}/remarks?after=0").text
    assert ines.fragment(f"/datasets/{submitted}/remarks?after={number}").status_code == 204


def test_what_is_new_since_the_last_look_is_marked(sign_in, submitted):
    ruth = sign_in(RUTH)
    assert "You look at it for the first time." in ruth.get(f"/review/{submitted}").text
    with db.transaction():
        one = dataset(submitted)
        datasets.edit(one, {"description": "D of mice"}, actor=INES.account)
        files.add(one, [{"name": "c.txt"}], actor=INES.account)

    page = ruth.get(f"/review/{submitted}").text
    assert "<ins>D of mice</ins>" in page and "<ins>c.txt</ins>" in page and "<ins>New</ins>" in page
    assert ruth.send(f"/review/{submitted}/seen").status_code == 303
    page = ruth.get(f"/review/{submitted}").text
    assert "<ins>" not in page and "Nothing of the text" in page


def test_file_table_tells_of_a_newer_version_and_is_silent_without_news(sign_in, submitted):
    ruth = sign_in(RUTH)
    page = ruth.get(f"/review/{submitted}").text
    poll = page.split('hx-get="')[1:]
    address = next(part.split('"')[0] for part in poll if "/files?" in part).replace("&amp;", "&")
    assert ruth.fragment(address).status_code == 204
    with db.transaction():
        datasets.edit(dataset(submitted), {"title": "Liver organoids"}, actor=INES.account)

    answer = ruth.fragment(address)
    assert "version 2 now" in answer.text and 'id="newer"' in answer.text and 'hx-swap-oob="true"' in answer.text


def test_approval_of_an_older_version_by_api_carries_the_difference(call, submitted):
    with db.transaction():
        datasets.edit(dataset(submitted), {"title": "Liver organoids"}, actor=INES.account)
    answer = call(RUTH, "POST", f"/datasets/{submitted}/actions/approve", {"version": 1})

    assert answer.status_code == 409
    assert answer.json["changes"] == [
        {"what": "Dataset name", "before": "Kidney organoids", "after": "Liver organoids", "file": None}
    ]


def test_queue_is_paged_by_cursor_and_keeps_its_filters(sign_in, app):
    with db.transaction():
        for n in range(102):
            made = datasets.create(
                actor=INES.account, title=f"Mice {n}", description="D", species="S", files=[{"name": f"{n}.txt"}]
            )
            datasets.submit(made, actor=INES.account)
    ruth = sign_in(RUTH)
    page = ruth.get("/review?text=mice&waits=nobody&tab=submitted").text
    following = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")

    assert page.count('id="dataset-') == 100 and "text=mice" in following and "waits=nobody" in following
    assert ruth.get(following).text.count('id="dataset-') == 2
    assert "Nothing fits these filters" in ruth.get("/review?text=whale").text


HUGE = "9" * 5000


@pytest.mark.parametrize(
    "place",
    [
        {"answers": "abc"},
        {"answers": HUGE},
        {"about": f"file-{HUGE}"},
        {"about": "file-x"},
        {"about": "file-" + "9" * 30},
    ],
)
def test_remark_on_what_has_no_such_number_is_not_found(sign_in, submitted, place):
    ines = sign_in(INES)
    ines.get(f"/deposit/{submitted}")
    assert ines.send(f"/datasets/{submitted}/remarks", text="Why?", **place).status_code == 404


def test_draft_has_no_remarks_yet(sign_in, app):
    with db.transaction():
        draft = datasets.create(actor=INES.account, title="Kidney organoids", files=[]).id
    assert sign_in(INES).get(f"/datasets/{draft}/remarks/new").status_code == 409
