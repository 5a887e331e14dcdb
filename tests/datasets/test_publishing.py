"""Nothing is published or removed by one press: a page says first what becomes public, and who can take it back."""

import re

import pytest
from lxml import html

from portal import clock, db
from portal.domain.datasets import datasets, publications, releases
from portal.models import Dataset
from tests import depositing
from tests.conftest import INES, RUTH

FORM = {"title": "Counts", "description": "Of genes.", "species": "Mus musculus", "access": "open"}
PUBLISHING = ("release", "withdraw", "unpublish", "suppress", "reinstate", "publications")


@pytest.fixture
def approved(once, run_jobs):
    """An approved open dataset of two archived files, 6 bytes in all."""

    def make() -> int:
        made = depositing.submit({"a.tsv": b"one", "b.tsv": b"two"})
        run_jobs()
        depositing.approve(made)
        run_jobs()
        return made

    return once(make)


@pytest.fixture
def ref(approved) -> str:
    return depositing.get(approved).accession


@pytest.fixture
def submitter(sign_in, approved):
    return sign_in(INES)


@pytest.fixture
def curator(sign_in, approved):
    return sign_in(RUTH)


def facts(text: str) -> dict[str, str]:
    """What a page says will be public, by its words."""
    tree = html.fromstring(text)
    names = (node.text_content().strip() for node in tree.xpath("//dl[@class='facts']/dt"))
    values = (" ".join(node.text_content().split()) for node in tree.xpath("//dl[@class='facts']/dd"))
    return dict(zip(names, values, strict=True))


def pressed(text: str) -> dict[str, str]:
    """The fields that the form of the page sends, with its first button."""
    form = html.fromstring(text).xpath("//main//form")[0]
    fields = {node.get("name"): node.get("value") for node in form.xpath(".//input")}
    button = form.xpath(".//button")[0]
    return fields | ({button.get("name"): button.get("value")} if button.get("name") else {})


def published_by_one_press(text: str) -> list[str]:
    """The forms of a page that publish or remove as they stand."""
    actions = html.fromstring(text).xpath("//form/@action | //button/@formaction")
    return [address for address in actions if address.rpartition("/")[2] in PUBLISHING[:-1]]


def state_after(dataset_id: int, run_jobs) -> str:
    depositing.run_until_idle(run_jobs, clock)
    return depositing.get(dataset_id).state


@pytest.mark.parametrize("path", ["/deposit", "/deposit/{ref}", "/deposit/{ref}/links", "/datasets/{ref}"])
def test_no_page_of_the_submitter_publishes_by_one_press(submitter, ref, path):
    assert published_by_one_press(submitter.get(path.format(ref=ref)).text) == []


@pytest.mark.parametrize("state", ["approved", "released", "suppressed"])
def test_no_page_of_the_curator_publishes_or_removes_by_one_press(curator, approved, ref, run_jobs, state):
    if state != "approved":
        depositing.ask_release(approved)
        depositing.run_until_idle(run_jobs, clock)
    if state == "suppressed":
        with db.transaction():
            releases.suppress(db.session.get_one(Dataset, approved), actor=RUTH.account)
    assert depositing.get(approved).state == state
    for path in ("/review", f"/review/{ref}", "/review/opening"):
        assert published_by_one_press(curator.get(path).text) == []
    offered = {"approved": "release", "released": "unpublish", "suppressed": "reinstate"}[state]
    assert f'href="/review/{ref}/{offered}"' in curator.get(f"/review/{ref}").text


@pytest.mark.parametrize("page", ["/deposit/{ref}/actions/release", "/review/{ref}/release"])
def test_release_says_what_becomes_public_and_then_does_it(sign_in, approved, ref, run_jobs, page):
    reader = sign_in(INES if "deposit" in page else RUTH)
    address = page.format(ref=ref)
    text = reader.get(address).text
    said = facts(text)
    assert said["Dataset name"] == "Counts" and said["Files"] == "2 files, 6 B (6 bytes)"
    assert said["Access"].startswith("Open: anybody") and said["Cited as"] == "Ines Okafor"
    assert said["Taking it back"].startswith("Only a curator can take it back")
    assert state_after(approved, run_jobs) == "approved", "it is only asked"
    assert reader.send(address, **pressed(text)).status_code == 303
    assert state_after(approved, run_jobs) == "released"


def test_controlled_data_are_said_to_be_controlled(once, run_jobs, sign_in):
    made = once(lambda: depositing.submit({"a.tsv": b"one"}, access="controlled"))
    run_jobs()
    depositing.approve(made)
    text = sign_in(INES).get(f"/deposit/{depositing.get(made).accession}/actions/release").text
    assert facts(text)["Access"].startswith("Controlled: the description is public")


def test_what_publishes_or_removes_stands_apart_in_lists(submitter, ref):
    tree = html.fromstring(submitter.get("/deposit").text)
    row = tree.xpath("//td[contains(@class, 'row-actions')]")[0]
    apart = row.xpath(".//details[@class='menu']//a/@href")
    assert apart[-2:] == [f"/deposit/{ref}/actions/release", f"/deposit/{ref}/actions/withdraw"]
    assert not [address for address in apart[:-2] if address.rpartition("/")[2] in PUBLISHING]
    everyday = row.xpath("./a/@href | .//form/@action")
    assert not [address for address in everyday if address.rpartition("/")[2] in PUBLISHING]
    file = html.fromstring(submitter.get(f"/deposit/{ref}").text).xpath("//td[contains(@class, 'row-actions')]")[0]
    assert file.xpath(".//details[@class='menu']//a/@href") == [f"/deposit/{ref}/files/1/delete"]
    assert f"/deposit/{ref}/files/1/delete" not in file.xpath("./a/@href")


def test_release_of_a_version_that_nobody_looked_at_is_asked_again(submitter, approved, ref, run_jobs):
    shown = pressed(submitter.get(f"/deposit/{ref}/actions/release").text)
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, approved), {"title": "Other counts"}, actor=INES.account)
    depositing.approve(approved)
    again = submitter.send(f"/deposit/{ref}/actions/release", **shown)
    assert again.status_code == 409 and "It changed meanwhile: version 2 now." in again.text
    assert facts(again.text)["Dataset name"] == "Other counts"
    assert state_after(approved, run_jobs) == "approved"
    submitter.send(f"/deposit/{ref}/actions/release", **pressed(again.text))
    assert state_after(approved, run_jobs) == "released"


def test_withdrawal_says_what_is_removed_and_that_nobody_takes_it_back(curator, approved, ref, run_jobs):
    text = curator.get(f"/review/{ref}/withdraw").text
    said = facts(text)
    assert said["Files"] == "2 files, 6 B (6 bytes): every copy of their bytes is removed"
    assert said["Taking it back"] == "Nobody can: no copy of the bytes is kept."
    refused = curator.send(f"/review/{ref}/withdraw", note=" ")
    assert refused.status_code == 422 and "Give a reason." in refused.text
    assert curator.send(f"/review/{ref}/withdraw", note="Consent.").status_code == 303
    assert state_after(approved, run_jobs) == "withdrawn"


@pytest.mark.parametrize("reader", [INES, RUTH])
def test_publication_that_opens_is_asked_for_once(sign_in, approved, ref, run_jobs, reader):
    browser, address = sign_in(reader), f"/deposit/{ref}/publications"
    asked = browser.send(address, publication="doi:10.5555/Peat.2026")
    assert facts(asked.text)["Files"] == "2 files, 6 B (6 bytes)"
    assert publications.of(depositing.get(approved)) == []
    back = browser.send(address, publication="10.5555/peat.2026", back="1")
    assert back.status_code == 303 and publications.of(depositing.get(approved)) == []
    assert state_after(approved, run_jobs) == "approved"
    assert browser.send(address, **pressed(asked.text)).status_code == 303
    assert state_after(approved, run_jobs) == "released"
    assert browser.send(address, publication="10.5555/second").status_code == 303, "what is open is not asked for"


def test_publication_before_approval_says_that_a_curator_comes_first(run_jobs, once, sign_in):
    made = once(lambda: depositing.submit({"a.tsv": b"one"}))
    ref = depositing.get(made).accession
    ines = sign_in(INES)
    asked = ines.send(f"/deposit/{ref}/publications", publication="39000001")
    assert "as soon as a curator has approved it" in facts(asked.text)["Opens"]
    ines.send(f"/deposit/{ref}/publications", **pressed(asked.text))
    page = sign_in(RUTH).get(f"/review/{ref}").text
    assert "Approving it releases it:" in page and "a publication is recorded" in page


def test_date_that_has_come_gives_every_typed_word_back(submitter, approved, ref, run_jobs):
    typed = FORM | {"release_date": "2020-01-01", "description": "Of <all> genes.", "files.0.name": "new.tsv"}
    asked = submitter.send(f"/deposit/{ref}", **typed)
    assert "as soon as a curator has approved it" in facts(asked.text)["Opens"], "the text goes through review first"
    back = submitter.send(f"/deposit/{ref}", **typed, back="1")
    assert back.status_code == 200 and "Of &lt;all&gt; genes." in back.text and 'value="2020-01-01"' in back.text
    assert depositing.get(approved).release_date is None
    only_date = FORM | {"release_date": "2020-01-01"}
    asked = submitter.send(f"/deposit/{ref}", **only_date)
    assert facts(asked.text)["Opens"] == "as soon as every file has been read and compared once more"
    submitter.send(f"/deposit/{ref}", **pressed(asked.text))
    assert state_after(approved, run_jobs) == "released"


def test_what_breaks_a_rule_is_told_before_anything_is_asked(submitter, ref):
    refused = submitter.send(f"/deposit/{ref}", **FORM | {"release_date": "2020-01-01", "bioproject": "none"})
    assert refused.status_code == 422 and "A BioProject accession looks like" in refused.text


def poll(browser, path: str) -> str:
    """What a page gets that was open before: the address that its element asks, told of an older revision."""
    page = browser.get(path).text
    address = html.fromstring(page).xpath("//*[@id='files']/@hx-get")[0]
    return re.sub(r"rev=[^&]*", "rev=before", address)


def offered(text: str, *ids: str) -> list[str]:
    """Where the links and buttons in elements of a page lead, by their ids."""
    tree = html.fromstring(f"<main>{text}</main>")
    paths = [f"//*[@id='{name}']//{path}" for name in ids for path in ("a/@href", "form/@action", "button/@formaction")]
    return [address for path in paths for address in tree.xpath(path)]


def test_page_of_the_submitter_that_was_open_has_the_buttons_of_the_state_that_is_now(
    submitter, approved, ref, run_jobs
):
    before = poll(submitter, f"/deposit/{ref}")
    live = submitter.fragment(before).text
    assert f"/deposit/{ref}/actions/release" in offered(live, "actions")
    depositing.ask_release(approved)
    assert state_after(approved, run_jobs) == "released"
    live = submitter.fragment(before).text
    assert offered(live, "actions") == [f"/deposit/{ref}/people", f"/deposit/{ref}/copy"]
    assert "It is released: its text and files stand." in live and "Show the page as it is now" in live
    for gone in ("save", "new-file-tools", "uploader", "bulk-edit"):
        assert f'<div id="{gone}" hidden hx-swap-oob="true"></div>' in live
    again = submitter.get(f"/deposit/{ref}").text
    assert all(
        again.count(f'id="{gone}"') == 1 for gone in ("save", "new-file-tools", "uploader", "bulk-edit", "notes")
    )


def test_page_of_a_curator_that_was_open_decides_nothing_that_is_decided(once, run_jobs, sign_in):
    made = once(lambda: depositing.submit({"a.tsv": b"one"}))
    run_jobs()
    ref, ruth = depositing.get(made).accession, sign_in(RUTH)
    before = poll(ruth, f"/review/{ref}")
    live = ruth.fragment(before).text
    assert offered(live, "decide") == [f"/review/{ref}/approve"] and "Approve version 1" in live
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, made), {"title": "Other counts"}, actor=INES.account)
    live = ruth.fragment(before).text
    assert "See version 2 first" in live and "Approve version" not in live
    depositing.approve(made)
    live = ruth.fragment(before).text
    assert offered(live, "decide") == [f"/review/{ref}"] and "It is approved meanwhile." in live
    assert offered(live, "steps") == [f"/review/{ref}/release", f"/review/{ref}/withdraw"]


def test_submit_says_that_a_date_has_come(sign_in, receiving):
    ines = sign_in(INES)
    with db.transaction():
        given = FORM | {"files": [{"name": "a.tsv"}], "release_date": "2020-01-01"}
        draft = datasets.create(actor=INES.account, **given).id
    page = ines.get(f"/deposit/{draft}/actions/submit").text
    assert "2020-01-01, which has come: it opens as soon as a curator has approved it" in page


def test_program_still_releases_by_one_call(client, approved, ref, run_jobs):
    answer = client.post(f"/api/v1/datasets/{ref}/actions/release", json={}, headers=INES.bearer())
    assert answer.status_code < 300
    assert state_after(approved, run_jobs) == "released"
