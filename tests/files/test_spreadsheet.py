"""The file table goes out as TSV or XLSX and comes back, shown before it is applied."""

import io
import resource
import zipfile

import pytest
from openpyxl import load_workbook

from portal import db, errors, ingest, states
from portal.domain.datasets import datasets
from portal.domain.files import spreadsheet, xlsx_guard
from portal.models import Dataset, Event, File
from tests import depositing
from tests.conftest import INES
from tests.counting import calls


@pytest.fixture
def draft(app):
    ingest.start("test")
    depositing.send("run/a.gz", b"a")
    ingest.stop()
    rows = [{"name": "run/a.gz", "title": "=1+1", "samples": 4}, {"name": "b.gz", "description": "B"}]
    with db.transaction():
        return datasets.create(actor=INES.account, title="T", files=rows).id


@pytest.fixture
def browser(draft, sign_in):
    return sign_in(INES)


def stored(draft) -> dict[str, File]:
    db.end()
    return {file.name: file for file in db.session.query(File).filter_by(dataset_id=draft).order_by(File.n)}


def test_tsv_comes_back_unchanged(browser, draft):
    answer = browser.get(f"/deposit/{draft}/files.tsv")
    assert answer.text.splitlines()[1] == "run/a.gz\t'=1+1\t\t\t4\tsamples\t"
    found = spreadsheet.compare(db.session.get_one(Dataset, draft), answer.text)
    assert (found.same, found.changed, found.added, found.faults) == (2, [], [], [])


def test_xlsx_holds_no_formula_and_comes_back_unchanged(browser, draft):
    body = browser.get(f"/deposit/{draft}/files.xlsx").data
    sheet = load_workbook(io.BytesIO(body)).active
    assert (sheet["B2"].value, sheet["B2"].data_type, sheet["E2"].value) == ("=1+1", "s", 4)
    assert spreadsheet.compare(db.session.get_one(Dataset, draft), body).same == 2


def test_pasted_rows_are_shown_then_applied(browser, draft):
    text = f"File name\tTitle\tMD5\nrun/a.gz\tFirst\t{depositing.md5(b'other')}\nnew.gz\tThird\t\n"
    shown = browser.send(f"/deposit/{draft}/sheet", sheet=text)
    assert "First" in shown.text and stored(draft)["run/a.gz"].title == "=1+1"
    browser.send(f"/deposit/{draft}/sheet", sheet=text, add="1")
    files = stored(draft)
    assert (files["run/a.gz"].title, files["run/a.gz"].samples, files["run/a.gz"].state) == ("First", 4, states.FAILED)
    assert files["b.gz"].description == "B" and files["new.gz"].title == "Third"
    event = db.session.query(Event).filter_by(action="edit_file").one()
    assert event.before["title"] == "=1+1" and event.after["title"] == "First"


def test_chosen_xlsx_is_carried_to_the_second_step(browser, draft):
    body = browser.get(f"/deposit/{draft}/files.xlsx").data
    book = load_workbook(io.BytesIO(body))
    book.active["B3"] = "Second"
    changed = io.BytesIO()
    book.save(changed)
    shown = browser.send(f"/deposit/{draft}/sheet", file=(io.BytesIO(changed.getvalue()), "files.xlsx"))
    carried = shown.text.partition('name="carried" value="')[2].partition('"')[0]
    browser.send(f"/deposit/{draft}/sheet", carried=carried, sheet="", apply="1")
    assert stored(draft)["b.gz"].title == "Second"


@pytest.mark.parametrize(
    ("text", "row", "code"),
    [
        ("File name\tMD5\nb.gz\tshort\n", 2, "md5_length"),
        ("name\nb.gz\nb.gz\n", 3, "sheet_name_twice"),
        ("name\tsamples\nb.gz\tmany\n", 2, "samples_no_number"),
        ("name\na b.gz\n", 2, "name_character"),
    ],
)
def test_faulty_row_is_told_and_nothing_changes(draft, text, row, code):
    with pytest.raises(errors.Invalid) as refused, db.transaction():
        spreadsheet.apply(db.session.get_one(Dataset, draft), text, actor=INES.account, add=True)
    (fault,) = refused.value.field_messages["sheet"].values.values()
    assert (fault.code, fault.values["row"]) == ("sheet_row_fault", row)
    assert [message.code for message in fault.values["fault"].values.values()] == [code]
    assert len(stored(draft)) == 2


@pytest.mark.parametrize("body", [b"PK\x03\x04 no sheet", b"PK"])
def test_broken_xlsx_is_refused(draft, body):
    with pytest.raises(errors.Invalid):
        spreadsheet.compare(db.session.get_one(Dataset, draft), body)


@pytest.mark.parametrize("text", ["name\n" + "a" * 140_000, 'name\t"\n"' + "x" * 140_000])
def test_endless_cell_is_refused(browser, draft, text):
    browser.get(f"/deposit/{draft}/sheet")
    answer = browser.send(f"/deposit/{draft}/sheet", sheet=text)
    assert answer.status_code == 422 and "cannot be read" in answer.text
    assert browser.send(f"/deposit/{draft}/digests", digests=text).status_code in (200, 422)


def test_lines_of_an_old_mac_are_rows(draft):
    assert spreadsheet.compare(db.session.get_one(Dataset, draft), "name\rb.gz\r").same == 1


def book(rows: str, strings: str = "") -> bytes:
    """A sheet of these rows; shared strings that unpack to more than it all may hold."""
    made, packed = io.BytesIO(), spreadsheet.Workbook()
    packed.save(made)
    out = io.BytesIO()
    with zipfile.ZipFile(made) as plain, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as full:
        for name in plain.namelist():
            text = plain.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = (
                    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                    + rows.encode()
                    + b"</sheetData></worksheet>"
                )
            full.writestr(name, text)
        if strings:
            full.writestr("xl/sharedStrings.xml", strings)
    return out.getvalue()


BOMBS = {
    "wide rows": "".join(f'<row r="{n}"><c r="XFD{n}"/></row>' for n in range(1, 20_000)),
    "one row": "<row>" + "<c/>" * 1_000_000 + "</row>",
    "rows within a row": "<row>" + "<row/>" * 1_000_000 + "</row>",
}


@pytest.mark.parametrize("name", BOMBS)
def test_book_takes_no_more_memory_than_a_table(name):
    given = book(BOMBS[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with calls() as called:
        try:
            assert not any(map(any, spreadsheet.read(given)))
        except errors.Invalid as refused:
            assert refused.field_messages["sheet"].code == "xlsx_too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 << 10  # kB
    assert called[0] < 10_000_000


def test_book_that_unpacks_to_too_much_is_refused_unread(monkeypatch):
    monkeypatch.setattr(xlsx_guard, "LARGEST", 1 << 20)
    with pytest.raises(errors.Invalid) as refused:
        spreadsheet.read(book("", strings="<sst>" + " " * (2 << 20) + "</sst>"))
    assert refused.value.field_messages["sheet"].code == "xlsx_too_large"
