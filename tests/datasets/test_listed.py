"""My datasets as a list: what needs me is counted, and words, states and orders find the rest."""

import pytest

from portal import db, states
from portal.domain.datasets import datasets, remarks
from portal.models import Dataset, File
from portal.queries.datasets import listed
from tests import depositing as deposit
from tests.conftest import COLLEAGUE, INES, RUTH
from tests.state_guard import states_unguarded

pytestmark = pytest.mark.usefixtures("receiving")


@pytest.fixture
def browser(sign_in):
    return sign_in(INES)


def make(title: str, state: str = "draft", *, person=INES, species: str = "Mus musculus", **columns) -> int:
    files = [{"name": name} for name in columns.pop("names", ())]
    with db.transaction():
        made = datasets.create(actor=person.account, title=title, species=species, access="open", files=files).id
    with states_unguarded():
        row = db.session.get_one(Dataset, made)
        row.state = state
        for name, value in columns.items():
            setattr(row, name, value)
    return made


def redden(dataset_id: int, state: str = "failed") -> None:
    with states_unguarded():
        db.session.query(File).filter_by(dataset_id=dataset_id).one().state = state


def shown(browser, query: str = "") -> list[str]:
    text = browser.get(f"/deposit?{query}").text
    titles = [row.title for row in db.session.query(Dataset)]
    places = {title: text.find(f">{title}</a>") for title in titles}
    return sorted((title for title in titles if places[title] >= 0), key=places.__getitem__)


def counted() -> int:
    db.end()
    return listed.tab_counts(INES.account)["attention"]


def test_count_is_of_what_needs_its_owner(browser):
    make("Draft")
    make("In review", "submitted")
    assert counted() == 0
    make("Returned", "returned")
    assert counted() == 1
    red, late = make("Red", names=["a"]), make("Late", "submitted", names=["a"])
    assert counted() == 2
    redden(red)
    assert counted() == 3
    make("Of a colleague", "returned", person=COLLEAGUE)
    assert counted() == 3
    assert set(shown(browser, "needs=1")) == {"Late", "Red", "Returned"}
    assert late and '<span class="count">3</span>' in browser.get("/deposit").text


def test_open_remark_needs_an_answer(browser, run_jobs):
    dataset_id = deposit.submit({"a.txt": b"a"})
    run_jobs()
    assert counted() == 0
    with db.transaction():
        remark = remarks.add(db.session.get_one(Dataset, dataset_id), "Which strain?", actor=RUTH.account).id
    assert counted() == 1
    with db.transaction():
        remarks.add(db.session.get_one(Dataset, dataset_id), "Black 6.", actor=INES.account, answers=remark)
    assert counted() == 0


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("q=liver", {"Mouse liver", "Fly"}),
        ("q=LIVER+mouse", {"Mouse liver"}),
        ("q=100%25", {"100% kidney"}),
        ("q=danio", {"100% kidney"}),
        ("q=nothing", set()),
        ("state=returned", {"Fly"}),
        ("state=released", {"Mouse liver", "Fly", "100% kidney"}),
        ("tab=published", {"Out"}),
        ("tab=published&q=liver", set()),
    ],
)
def test_words_and_states_narrow_the_list(browser, query, titles):
    make("Mouse liver")
    make("Fly", "returned", names=["run/liver.txt"])
    make("100% kidney", species="Danio rerio")
    make("Out", "released", released_at=1, accession="OMIX000009")
    assert set(shown(browser, query)) == titles
    assert ("No dataset fits" in browser.get(f"/deposit?{query}").text) == (not titles)


def test_orders(browser):
    make("B", release_date="2027-01-01")
    make("A")
    make("C", release_date="2026-12-24")
    assert shown(browser, "sort=title") == ["A", "B", "C"]
    assert shown(browser, "sort=release") == ["C", "B", "A"]
    assert shown(browser) == ["C", "A", "B"]


def test_titles_are_in_order_whatever_their_case(browser):
    for title in ("beta", "Zeta", "Alpha"):
        make(title)
    assert shown(browser, "sort=title") == ["Alpha", "beta", "Zeta"]


def test_states_are_in_the_order_of_the_life_cycle(browser):
    for title, state in (("Sent back", "returned"), ("In review", "submitted"), ("Begun", "draft")):
        make(title, state)
    stages = [states.DATASET.states.index(state) for state in ("draft", "submitted", "returned")]
    in_order = [title for _stage, title in sorted(zip(stages, ("Begun", "In review", "Sent back"), strict=True))]
    assert shown(browser, "sort=state") == in_order


@pytest.mark.parametrize("sort", ["", "title", "state", "release"])
def test_cursor_of_somebody_elses_dataset_tells_nothing(browser, sort):
    make("A")
    hidden = make("M", person=COLLEAGUE)
    make("Z")
    for side in ("after", "before"):
        assert shown(browser, f"sort={sort}&{side}={hidden}") == shown(browser, f"sort={sort}")


def test_name_of_a_removed_file_finds_nothing(browser):
    redden(make("Kidneys", names=["liver.txt"]), "removed")
    assert shown(browser, "q=liver") == []
    assert shown(browser, "q=kidneys") == ["Kidneys"]


@pytest.mark.parametrize("sort", ["", "title", "state", "release"])
def test_pages_of_every_order_hold_each_dataset_once(monkeypatch, ines, sort):
    monkeypatch.setattr("portal.queries.paging.keyset.PAGE", 2)
    monkeypatch.setattr(listed.keyset.fetch, "__kwdefaults__", {**listed.keyset.fetch.__kwdefaults__, "limit": 2})
    made = {make(title) for title in ("C", "A", "A", "B", "E")}
    chosen, after, found = listed.Filter(sort=sort), "", []
    for _ in range(3):
        page = listed.page(ines.account, chosen, after=after)
        found += [row.id for row in page.rows]
        after = page.older
    assert set(found) == made and len(found) == 5 and after == ""


def test_dangerous_actions_stand_last_in_the_menu(browser):
    dataset_id = make("Livers")
    page = browser.get("/deposit").text
    menu = page[page.index(f'id="more-{dataset_id}"') :]
    assert menu.index("Add or Replace File") < menu.index("<hr") < menu.index("Discard")


def test_api_takes_the_same_words(app):
    from portal.domain.accounts import tokens

    make("Mouse liver")
    make("Fly", "returned")
    with db.transaction():
        key = tokens.issue(INES.account, "api")
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}"}
    for query, titles in (("q=liver", ["Mouse liver"]), ("needs=1", ["Fly"]), ("", ["Fly", "Mouse liver"])):
        items = client.get(f"/api/v1/datasets?{query}", headers=headers).json["items"]
        assert [item["title"] for item in items] == titles
