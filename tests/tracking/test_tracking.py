"""Tracking as people use it: tabs, filters, order, paging, polls, and what is taken home."""

import io
import re

import pytest
from openpyxl import load_workbook

from portal import clock, db, states
from portal.domain.datasets import datasets
from portal.models import Component, Dataset, File, Upload
from tests import depositing as deposit
from tests.state_guard import states_unguarded

DAYS = 30 * clock.DAY


def upload(account, n, **more):
    """A row as if it had arrived; newer with each number."""
    given = {
        "token": f"t{account.id}-{n}",
        "account_id": account.id,
        "center_id": account.center_id,
        "realm": "open",
        "area": "incoming",
        "name": f"run/s{n:04d}.gz",
        "size": n,
        "state": states.RECEIVED,
        "detail": "",
        "md5": f"{n:032x}",
        "heard_at": clock.now(),
        "received_at": clock.now() - DAYS + n * 60_000,
        "created_at": clock.now() - DAYS + n * 60_000,
        "via": "ftp",
        "resumed": False,
        "fence": 1,
        "bytes_done": n,
    } | more
    return given | {"base": given["name"].rpartition("/")[2]}


@pytest.fixture
def many(ines):
    """250 uploads of a month ago: every tenth failed, every fifth in the protected realm, every second loaded."""
    me = ines.account
    with states_unguarded() as session:
        for n in range(1, 251):
            state = states.FAILED if n % 10 == 0 else states.ARCHIVED if n % 2 else states.RECEIVED
            session.add(
                Upload(
                    **upload(
                        me,
                        n,
                        state=state,
                        realm="open" if n % 5 else "protected",
                        error="truncated_file" if n % 10 == 0 else None,
                        file_type="BAM" if n % 3 else "GZ",
                    )
                )
            )


def shown(page) -> list[str]:
    return re.findall(r'id="upload-(\d+)"', page.text)


def everything(browser, query: str) -> list[str]:
    """All pages of a view, one after the other."""
    found, address = [], f"/tracking?from=2001-01-01&{query}"
    while address:
        page = browser.get(address)
        found += shown(page)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = following and following[1].replace("&amp;", "&")
    return found


def test_default_is_what_is_not_loaded_of_the_last_week(sign_in, ines, many):
    with db.transaction() as session:
        session.add(Upload(**upload(ines.account, 900, created_at=clock.now() - clock.DAY)))
    page = sign_in(ines).get("/tracking")

    assert shown(page) == ["251"]
    assert "1 file, " in page.text and "not yet loaded" in page.text


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", lambda n: n % 2 == 0),
        ("state=all", lambda n: True),
        ("state=loaded", lambda n: n % 2 == 1),
        ("state=all&realm=protected", lambda n: n % 5 == 0),
        ("state=all&type=GZ", lambda n: n % 3 == 0),
        ("problems=1", lambda n: n % 10 == 0),
        ("state=problems", lambda n: n % 10 == 0),
        ("state=all&text=s002", lambda n: 20 <= n < 30),
        ("state=all&text=s002&problems=1", lambda n: n == 20),
        ("state=all&text=_", lambda n: False),
        ("state=nonsense&realm=x&type=y&sort=z", lambda n: n % 2 == 0),
    ],
)
def test_filters_leave_what_was_asked_for(sign_in, ines, many, query, wanted):
    assert everything(sign_in(ines), query) == [str(n) for n in range(250, 0, -1) if wanted(n)]


@pytest.mark.full
@pytest.mark.parametrize("most", [10_000, 20])
@pytest.mark.parametrize("sort", ["arrived", "name", "size"])
def test_order_is_whole_whether_few_or_many_match(sign_in, ines, many, monkeypatch, sort, most):
    """Both ways to a page, sorting what there is and walking an index, show every row once and in order."""
    for where in ("portal.queries.tracking.tracking.FEW", "portal.queries.paging.capped_count.MOST"):
        monkeypatch.setattr(where, most)
    monkeypatch.setattr("portal.queries.paging.capped_count.first.__defaults__", (most,))
    monkeypatch.setattr("portal.queries.paging.capped_count.count.__defaults__", (most,))
    browser = sign_in(ines)

    for query in ("state=all", "state=all&text=run", "problems=1", "state=all&type=BAM"):
        rising = everything(browser, f"{query}&sort={sort}")
        assert rising == sorted(rising, key=int) and len(rising) == len(set(rising)) >= 25
        assert everything(browser, f"{query}&sort=-{sort}") == rising[::-1]


def test_way_back_leads_to_the_same_page(sign_in, ines, many):
    browser = sign_in(ines)
    first = browser.get("/tracking?from=2001-01-01&state=all&sort=name")
    second = browser.get(f"/tracking?from=2001-01-01&state=all&sort=name&after={shown(first)[-1]}")
    back = re.search(r'rel="prev" href="([^"]+)"', second.text)[1].replace("&amp;", "&")

    assert shown(browser.get(back)) == shown(first)


def test_large_dataset_is_walked_by_number(sign_in, ines, monkeypatch):
    monkeypatch.setattr("portal.queries.tracking.tracking.FEW", 5)
    with db.transaction() as session:
        made = datasets.create(
            actor=ines.account,
            title="T",
            description="D",
            species="S",
            files=[{"name": f"run/s{n:04d}.gz"} for n in range(150)],
        )
        session.flush()
        for file in session.query(File).filter_by(dataset_id=made.id):
            row = Upload(**upload(ines.account, file.n, name=file.name))
            session.add(row)
            session.flush()
            file.upload_id, file.state = row.id, states.ERROR if file.n % 50 == 0 else states.RECEIVED
        datasets.submit(made, actor=ines.account)
    browser, numbers = sign_in(ines), [str(n) for n in range(150, 0, -1)]

    assert everything(browser, f"dataset={made.accession}") == numbers
    assert everything(browser, f"text={made.accession}&problems=1") == ["150", "100", "50"]
    assert everything(browser, "dataset=OMIX999999") == []


def test_strangers_see_none_of_it(sign_in, stranger, many):
    assert everything(sign_in(stranger), "state=all") == []


def test_poll_without_news_is_empty_and_touches_nothing(sign_in, receiving, ines, many):
    browser = sign_in(ines)
    address = re.search(r'hx-get="(/tracking[^"]+)"', browser.get("/tracking?state=all").text)[1].replace("&amp;", "&")
    quiet = browser.fragment(address)
    deposit.send("new.txt", b"new")
    loud = browser.fragment(address)

    assert (quiet.status_code, quiet.data, "Set-Cookie" in quiet.headers) == (204, b"", False)
    assert loud.status_code == 200 and "new.txt" in loud.text and "<html" not in loud.text


def test_comments_say_cause_and_remedy(sign_in, receiving, ines):
    made = deposit.submit({"a.txt": b"a"}, declared={"a.txt": "0" * 32})
    deposit.send("b.txt", b"b")
    browser = sign_in(ines)
    page, problems = browser.get("/tracking").text, browser.get("/tracking?problems=1")

    assert "MD5 Checked Failed" in page and "md5_mismatch" in page
    assert f"/tracking/{deposit.get(made).accession}" in page
    assert "No dataset declares this name" in page
    assert shown(problems) == ["1"] and "1 file, " in problems.text
    assert shown(browser.get("/tracking?problems=1&state=loaded")) == []


def test_what_is_shown_goes_home_as_tsv_and_xlsx(sign_in, ines, many):
    with db.transaction() as session:
        row = session.get(Upload, 20)
        row.detail = "=cmd|' /C calc'!A1"
    browser = sign_in(ines)
    text = browser.get("/tracking/files.tsv?from=2001-01-01&problems=1").text
    sheet = browser.get("/tracking/files.xlsx?from=2001-01-01&problems=1")
    cells = [list(row) for row in load_workbook(io.BytesIO(sheet.data)).active.iter_rows(values_only=True)]

    lines = [line.split("\t") for line in text.splitlines()]
    assert (
        lines[0]
        == cells[0]
        == [
            "realm",
            "upload_id",
            "upload_date",
            "file_name",
            "file_size",
            "file_md5sum",
            "file_status",
            "file_type",
            "load_date",
            "file_error",
            "submissions",
            "comments",
        ]
    )
    assert [line[1] for line in lines[1:]] == [str(n) for n in range(250, 0, -10)] == [str(row[1]) for row in cells[1:]]
    assert {line[6] for line in lines[1:]} == {"Error"} and {line[9] for line in lines[1:]} == {"truncated_file"}
    assert lines[24][11] == "'=cmd|' /C calc'!A1"
    formula = load_workbook(io.BytesIO(sheet.data)).active.cell(25, 12)
    assert (formula.value, formula.data_type) == ("=cmd|' /C calc'!A1", "s")


def test_export_goes_on_beyond_a_page(sign_in, ines, many, monkeypatch):
    monkeypatch.setattr("portal.web.tracking.exports.PAGE_ROWS", 7)
    monkeypatch.setattr("portal.web.tracking.spreadsheet.MOST_ROWS", 101)
    browser = sign_in(ines)
    book = load_workbook(io.BytesIO(browser.get("/tracking/files.xlsx?from=2001-01-01&state=all").data))

    assert [sheet.max_row for sheet in book.worksheets] == [101, 101, 51]
    assert len({row[1] for sheet in book.worksheets for row in sheet.iter_rows(min_row=2, values_only=True)}) == 250
    assert browser.get("/tracking/files.tsv?from=2001-01-01&state=all").text.count("\n") == 251


@pytest.fixture
def submitted(receiving, ines):
    """A submission with three components, one of which could not be loaded."""
    made = deposit.submit({"a.txt": b"a"})
    with states_unguarded() as session:
        dataset = session.get(Dataset, made)
        session.query(Component).filter_by(dataset_id=made).delete()
        for n, state in enumerate((states.LOADED, states.RECEIVED, states.ERROR)):
            session.add(
                Component(
                    dataset_id=made,
                    center_id=dataset.center_id,
                    type="SAMPLE",
                    alias=f"sample-{n}",
                    accession=f"OMIXS90000{n}" if n < 2 else None,
                    state=state,
                    received_at=1,
                    updated_at=clock.now(),
                    comment="line 41: not in the list" * (n == 2),
                )
            )
    return deposit.get(made)


def test_submissions_stand_under_their_tabs(sign_in, ines, submitted):
    deposit.submit({"b.txt": b"b"}, title="Open already")
    with states_unguarded() as session:
        session.query(Dataset).filter_by(title="Open already").one().state = states.RELEASED
    browser = sign_in(ines)
    pages = {tab: browser.get(f"/tracking/{tab}").text for tab in ("submissions", "published", "attention")}

    assert [submitted.accession in pages[tab] for tab in pages] == [True, False, True]
    assert ["Open already" in pages[tab] for tab in pages] == [True, True, False]
    assert "Submissions-Published" in pages["attention"] and "Submissions-Attention" in pages["published"]
    assert "1 loaded" in pages["attention"] and "1 error" in pages["attention"] and "1 not linked" in pages["attention"]


def test_only_problems_and_words_filter_submissions(sign_in, ines, submitted):
    deposit.submit({"b.txt": b"b"}, title="Livers of mice")
    browser = sign_in(ines)
    problems, words = browser.get("/tracking/attention?problems=1").text, browser.get("/tracking/attention?text=Livers")

    assert submitted.accession in problems and "Livers of mice" not in problems
    assert "Livers of mice" in words.text and submitted.accession not in words.text


def test_components_are_shown_worst_first_with_their_comments(sign_in, ines, submitted):
    browser = sign_in(ines)
    page = " ".join(browser.get(f"/tracking/{submitted.accession}").text.split())

    places = [page.index(f"sample-{n}") for n in (2, 1, 0)]
    assert places == sorted(places) and "line 41: not in the list" in page
    assert "1 file declared, 1 arrived, 0 missing" in page
    lines = browser.get(f"/tracking/{submitted.accession}/components.tsv").text.splitlines()
    assert [line.split("\t")[6] for line in lines[1:]] == ["Error", "Received, not linked", "Loaded"]


def test_components_page_without_gap_or_double(sign_in, ines, submitted):
    with states_unguarded() as session:
        for n in range(240):
            session.add(
                Component(
                    dataset_id=submitted.id,
                    center_id=submitted.center_id,
                    type="RUN",
                    alias=f"run-{n}",
                    state=states.COMPONENT.states[n % 3],
                    received_at=1,
                    updated_at=1,
                )
            )
    browser, found, address = sign_in(ines), [], f"/tracking/{submitted.accession}?type=RUN"
    while address:
        page = browser.get(address).text
        found.append(re.findall(r'id="component-(\d+)"', page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following and following[1].replace("&amp;", "&")
    earlier = re.search(r'rel="prev" href="([^"]+)"', page)[1].replace("&amp;", "&")
    back = re.findall(r'id="component-(\d+)"', browser.get(earlier).text)

    flat = [one for part in found for one in part]
    assert len(flat) == len(set(flat)) == 240 and back == found[-2]
