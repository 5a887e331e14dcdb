"""The history: each filter finds what it names, paging goes on by id, and the CSV is whole and harmless."""

import csv
import io

import pytest

from portal import clock, db
from portal.domain.accounts import accounts, admin, centers
from portal.domain.datasets import datasets
from portal.domain.shared import history
from portal.queries.admin import event_log
from portal.queries.admin.event_log import Filter
from tests.counting import steps


@pytest.fixture
def told(ines, stranger, ruth):
    """Something done by Ines, to Ines, and to a center; a draft."""
    with db.transaction():
        accounts.rename(ines.account, "Ines A. Okafor", actor=ines.account)
        admin.set_role(ines.account, "curator", actor=ruth.account)
        centers.rename(centers.find("Harbour Lab"), "Harbour Institute", actor=ruth.account)
        return datasets.create(actor=stranger.account, title="Counts").id


def actions(page: event_log.EventPage) -> list[str]:
    return [line.event.action for line in page.rows]


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_person_is_who_did_it_and_whom_it_was_done_to(told, ines):
    assert actions(event_log.page(Filter(person=ines.id))) == ["account.role", "account.rename", "account.create"]


def test_center_dataset_and_action_are_filters(told, sign_in, ines, ruth):
    client = sign_in(ruth)
    for query, there, not_there in (
        ("center=Harbour+Institute", "center.rename", "account.rename"),
        (f"dataset={told}", f"draft {told}", "center.rename"),
        ("action=account.role", "account.role</span>", "center.rename</span>"),
        (f"person={ines.email}", "account.rename</span>", "center.rename</span>"),
    ):
        page = client.get(f"/admin/events?{query}").text.partition("<table")[2]
        assert there in page, query
        assert not_there not in page, query


def test_days_are_those_of_the_site_and_both_count(told, sign_in, ruth, settings):
    settings.timezone = "Pacific/Auckland"
    day = clock.today(settings.timezone)
    client = sign_in(ruth)
    assert "center.rename" in client.get(f"/admin/events?from={day}&to={day}").text
    assert "Nothing happened like that" in client.get("/admin/events?to=2020-01-01").text
    assert "Nothing happened like that" in client.get("/admin/events?from=2900-01-01").text


def test_moments_become_ids(told, ruth):
    before = clock.now() + 2 * clock.HOUR
    clock.shift(3 * clock.HOUR)
    with db.transaction():
        centers.create("Fjord Station", actor=ruth.account)
    clock.shift(3 * clock.HOUR)
    with db.transaction():
        centers.create("Delta Station", actor=ruth.account)
    assert actions(event_log.page(Filter(since=before))) == ["center.create", "center.create"]
    earlier = event_log.page(Filter(since=before, until=clock.now() - clock.HOUR))
    assert [line.event.after["name"] for line in earlier.rows] == ["Fjord Station"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("person=nobody@example.org", "Nobody here has the address nobody@example.org."),
        ("center=Nowhere", "There is no center called Nowhere."),
        ("dataset=OMIX999999", "There is no dataset OMIX999999."),
        ("from=yesterday", "Write a day as 2026-11-20."),
        ("to=9999-12-31", "There was no portal in that year."),
    ],
)
def test_filter_that_means_nothing_says_so(sign_in, ruth, query, said):
    client = sign_in(ruth)
    page = client.get(f"/admin/events?{query}")
    assert page.status_code == 200 and said in page.text and "Nothing happened like that" in page.text
    assert client.get(f"/admin/events.csv?{query}").status_code == 422


def test_pages_go_on_and_back_by_id(told, sign_in, ines, ruth):
    with db.transaction():
        history.append_all("seen", [{"actor_id": ines.id, "note": f"n{n:03}"} for n in range(250)])
    asked = Filter(action="seen")
    first = event_log.page(asked)
    second = event_log.page(asked, after=first.older)
    third = event_log.page(asked, after=second.older)
    assert [len(page.rows) for page in (first, second, third)] == [100, 100, 50]
    assert (first.newer, third.older) == (0, 0)
    back = event_log.page(asked, before=third.newer)
    assert [line.event.id for line in back.rows] == [line.event.id for line in second.rows]
    assert event_log.page(asked, before=second.newer).newer == 0
    text = sign_in(ruth).get(f"/admin/events?action=seen&after={first.older}").text
    assert "n149" in text and "n150" not in text and "action=seen&amp;after=" in text


def test_csv_holds_all_that_is_found_and_no_more(told, sign_in, ines, ruth):
    with db.transaction():
        history.append_all("seen", [{"actor_id": ines.id, "note": f"n{n}"} for n in range(2500)])
    client = sign_in(ruth)
    answer = client.get("/admin/events.csv?action=seen")
    assert answer.mimetype == "text/csv" and ".csv" in answer.headers["Content-Disposition"]
    assert [row["note"] for row in rows(answer)] == [f"n{n}" for n in range(2499, -1, -1)]
    row = rows(client.get(f"/admin/events.csv?person={ines.email}&action=account.role"))[0]
    assert (row["person"], row["account"], row["before"]) == (ruth.email, ines.email, '{"role": "submitter"}')
    assert row["time"].endswith("+00:00")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_csv_holds_no_formula(sign_in, ines, ruth, text):
    with db.transaction():
        history.append("seen", actor_id=ines.id, note=text)
    assert rows(sign_in(ruth).get("/admin/events.csv?action=seen"))[0]["note"] == f"'{text}"


def test_long_history_is_read_through_its_indexes(told, ines, ruth):
    with db.transaction():
        for _ in range(5):
            history.append_all("receive", [{"actor_id": ines.id, "center_id": ines.account.center_id}] * 20_000)
    db.end()
    for asked in (
        Filter(person=ruth.id),
        Filter(action="center.rename"),
        Filter(until=clock.now() - clock.DAY),
        Filter(person=ines.id, action="account.role"),
        Filter(),
    ):
        with steps() as taken:
            event_log.page(asked)
        assert taken[0] < 20, (asked, "a walk of all events takes 400 and more")
    with steps() as taken:
        assert event_log.actions()[-1] == "receive"
    assert taken[0] < 20
