"""My uploads as people use them: views, folders, several at once, quota, and what nobody claims."""

import re

import pytest

from portal import db
from portal.domain.accounts import quotas, tokens
from portal.domain.datasets import datasets
from portal.domain.uploads.uploads import Place, find
from portal.models import Upload
from tests import depositing as deposit
from tests.tracking.test_tracking import upload


@pytest.fixture
def filled(receiving, ines):
    for name in ("run1/a.txt", "run1/deep/b.txt", "run2/c.txt", "d.txt"):
        deposit.send(name, name.encode())
    with db.transaction():
        datasets.create(actor=ines.account, title="T", files=[{"name": "d.txt"}])


def shown(answer) -> set[str]:
    return {row.name for row in db.session.query(Upload) if f'id="upload-{row.id}"' in answer.text}


def number(name: str) -> int:
    return deposit.upload_of(name).id


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", {"run1/a.txt", "run1/deep/b.txt", "run2/c.txt", "d.txt"}),
        ("view=unlinked", {"run1/a.txt", "run1/deep/b.txt", "run2/c.txt"}),
        ("view=linked", {"d.txt"}),
        ("view=arriving", set()),
        ("folder=/OMIX/run1", {"run1/a.txt", "run1/deep/b.txt"}),
        ("folder=run1", {"run1/a.txt", "run1/deep/b.txt"}),
        ("folder=/OMIX/run1&view=linked", set()),
        ("folder=/OMIX-protected", set()),
        ("folder=/OMIX/run", set()),
        ("folder=/nowhere", {"run1/a.txt", "run1/deep/b.txt", "run2/c.txt", "d.txt"}),
    ],
)
def test_views_show_what_they_say(sign_in, ines, filled, query, wanted):
    assert shown(sign_in(ines).get(f"/area?{query}")) == wanted


def test_folders_lead_down_and_up(sign_in, ines, filled):
    browser = sign_in(ines)
    top, below = browser.get("/area?folder=/OMIX").text, browser.get("/area?folder=/OMIX/run1").text

    assert "folder=/OMIX/run1" in top and "folder=/OMIX/run2" in top
    assert "folder=/OMIX/run1/deep" in below and 'href="/area?folder=/OMIX"' in below


def test_what_nobody_claims_says_when_it_goes(sign_in, ines, filled):
    page = sign_in(ines).get("/area").text

    assert page.count("kept until") == 3 and page.count("nobody claims it") == 3


def test_upload_is_copied_and_moved_to_the_other_realm(sign_in, ines, filled):
    browser = sign_in(ines)
    one = number("d.txt")
    page = browser.get(f"/area/{one}").text
    assert 'value="/OMIX/d.txt"' in page
    assert browser.send(f"/area/{one}/copy", name="copy.txt").status_code == 303
    taken = browser.send(f"/area/{one}/rename", name="/OMIX-protected/safe/d.txt")
    assert taken.status_code == 409 and "d.txt belongs to draft 1 now" in taken.text
    free = number("run2/c.txt")
    assert browser.send(f"/area/{free}/rename", name="/OMIX-protected/safe/c.txt").status_code == 303
    again = browser.send(f"/area/{one}/copy", name="/OMIX/copy.txt")

    assert find(ines.id, Place("incoming", "protected", "safe/c.txt")).id == free
    assert find(ines.id, Place("incoming", "open", "copy.txt")).via == "copy"
    assert again.status_code == 409 and "There is a copy.txt already" in again.text


def test_several_are_moved_at_once_and_the_rest_stands_again(sign_in, ines, filled):
    browser = sign_in(ines)
    ids = [number("run1/a.txt"), number("run2/c.txt")]
    page = browser.send("/area/chosen/move", id=ids)
    assert "Move 2 uploads" in page.text
    assert browser.send("/area/chosen/move/done", id=ids, folder="/OMIX/all").status_code == 303
    deposit.send("run3/c.txt", b"another")
    stuck = browser.send("/area/chosen/copy/done", id=[number("d.txt"), number("run3/c.txt")], folder="all")

    assert {row.name for row in db.session.query(Upload)} >= {"all/a.txt", "all/c.txt", "all/d.txt", "run3/c.txt"}
    assert stuck.status_code == 409 and "There is a all/c.txt already" in stuck.text and "run3/c" in stuck.text
    assert f'value="{number("d.txt")}"' not in stuck.text


def test_several_are_deleted_after_the_question(sign_in, ines, stranger, filled):
    browser, ids = sign_in(ines), [number("run1/a.txt"), number("run2/c.txt")]
    assert sign_in(stranger).send("/area/chosen/delete/done", id=ids).status_code == 303
    assert find(ines.id, Place("incoming", "open", "run1/a.txt")) is not None
    assert "Delete 2 uploads" in browser.send("/area/chosen/delete", id=ids).text
    browser.send("/area/chosen/delete/done", id=ids)

    db.end()
    assert find(ines.id, Place("incoming", "open", "run1/a.txt")) is None
    assert deposit.upload_of("d.txt").state == "received"


def test_folder_is_renamed_copied_and_deleted_whole(sign_in, ines, filled):
    browser = sign_in(ines)
    assert "with 2 files" in browser.get("/area/folder?path=/OMIX/run1").text
    browser.send("/area/folder/copy", path="/OMIX/run1", name="/OMIX/copied")
    browser.send("/area/folder/rename", path="/OMIX/run1", name="/OMIX/renamed")
    into_itself = browser.send("/area/folder/rename", path="/OMIX/renamed", name="/OMIX/renamed/deeper")
    browser.send("/area/folder/delete", path="/OMIX/copied")

    names = {row.name for row in db.session.query(Upload).filter(Upload.state == "received")}
    assert names == {"renamed/a.txt", "renamed/deep/b.txt", "run2/c.txt", "d.txt"}
    assert into_itself.status_code == 422 and "lies in renamed itself" in into_itself.text


def test_quota_that_runs_out_is_said(sign_in, ines, settings):
    settings.account_quota_gib = 1
    with db.transaction() as session:
        session.add(Upload(**upload(ines.account, 1, size=900 << 20)))
    quotas.forget()
    page = sign_in(ines).get("/area").text

    assert "87 % of the quota of the open realm is used" in page
    assert re.search(r"944 MB of 1\.07 GB", page)


def test_area_by_api_is_that_of_the_page(app, ines, filled):
    with db.transaction():
        secret = tokens.issue(ines.account, "api")
    client, who = app.test_client(), {"Authorization": f"Bearer {secret}"}

    def call(verb, **given):
        answer = client.post(f"/api/v1/area/{verb}", json=given, headers=who)
        return answer.status_code, answer.json

    listed = client.get("/api/v1/area", headers=who).json
    assert [item["path"] for item in listed["items"]] == ["/OMIX/run1", "/OMIX/run2", "/OMIX/d.txt"]
    page = client.get("/api/v1/area?path=/OMIX/run1&limit=1", headers=who).json
    assert [(item["path"], item["folder"]) for item in page["items"]] == [
        ("/OMIX/run1/deep", True),
        ("/OMIX/run1/a.txt", False),
    ]
    assert page["items"][1]["expires"] and page["next"] is None
    assert call("copy", **{"from": "/OMIX/run1", "to": "/OMIX/again"}) == (200, {"files": 2})
    assert call("copy", **{"from": "/OMIX/run1", "to": "/OMIX/again"})[0] == 409
    assert call("move", **{"from": "/OMIX/again", "to": "/OMIX-protected/safe"}) == (200, {"files": 2})
    assert call("remove", path="/OMIX-protected/safe")[0] == 404
    assert call("remove", path="/OMIX-protected/safe", folder=True) == (200, {"files": 2})
    assert call("remove", path="/OMIX")[0] == 403
    assert call("move", to="/OMIX/x")[0] == 422
    assert client.get("/api/v1/area/usage", headers=who).json["open"]["used"] == 40
