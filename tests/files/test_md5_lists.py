"""Lists of MD5s in every form people have them, compared before anything is changed, then applied at once."""

import pytest

from portal import db, errors, states
from portal.domain.datasets import datasets
from portal.domain.files import md5_lists
from portal.models import Dataset, Event, File
from tests.conftest import INES
from tests.depositing import md5, send

A, B, C = (md5(name) for name in (b"a", b"b", b"c"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"{A}  run1/a.gz", "run1/a.gz"),
        (f"{A} *run1/a.gz", "run1/a.gz"),
        (f"{A.upper()}  ./run1/a.gz\r", "run1/a.gz"),
        (f"MD5 (run1/a.gz) = {A}", "run1/a.gz"),
        (f"MD5(run1/a.gz)= {A}", "run1/a.gz"),
        (f"run1/a.gz,{A}", "run1/a.gz"),
        (f"{A};run1/a.gz", "run1/a.gz"),
        (f"run1/a.gz\t{A.upper()}", "run1/a.gz"),
        (f"{A}\trun1/a.gz", "run1/a.gz"),
        (f"\ufeff{A}  run1\\a.gz", "run1/a.gz"),
        (f'"run1/a.gz","{A}"', "run1/a.gz"),
        (f"{A}  a b.gz", "a b.gz"),
        (f"\\{A}  odd\\nname.gz", "odd\nname.gz"),
        (f"MD5 (a (1).gz) = {A}", "a (1).gz"),
    ],
)
def test_line_is_read_in_every_form(line, name):
    if "\\n" in line:
        assert md5_lists.parse(line)[0] == [(name, A, 1)]
        return
    assert md5_lists.parse(f"{line}\n") == ([md5_lists.Entry(name, A, 1)], [])


def test_table_with_a_head_takes_the_named_column():
    text = f"sample,size,file,md5\ns1,10,run/a.gz,{A}\ns2,11,run/b.gz,{B}\n"
    assert [(one.name, one.md5) for one in md5_lists.parse(text)[0]] == [("run/a.gz", A), ("run/b.gz", B)]


def test_lines_that_are_none_are_told_by_number():
    entries, faults = md5_lists.parse(f"# made by hand\n\n{A}  a\n{'0' * 64}  b\nnothing here\n")
    assert [one.name for one in entries] == ["a"]
    assert [(line, fault.code) for line, fault in faults] == [(4, "list_other_digest"), (5, "list_line_unreadable")]


@pytest.fixture
def dataset(database, send):
    send("run1/a.gz", b"a")
    send("b.gz", b"b")
    with db.transaction():
        made = datasets.create(
            actor=INES.account,
            title="T",
            files=[{"name": name} for name in ("run1/a.gz", "b.gz", "late.gz", "x/c.gz", "y/c.gz")],
        )
        return made.id


def get(dataset) -> Dataset:
    db.end()
    return db.session.get_one(Dataset, dataset)


def apply(dataset, text: str, **options) -> None:
    md5_lists.apply(db.session.get_one(Dataset, dataset), text, actor=INES.account, **options)


def standing(dataset) -> dict[str, tuple]:
    db.end()
    rows = db.session.query(File).filter_by(dataset_id=dataset).order_by(File.n)
    return {file.name: (file.state, file.declared_md5) for file in rows}


def test_comparison_sorts_and_changes_nothing(dataset):
    text = f"{A}  anywhere/a.gz\n{C}  b.gz\n{C}  c.gz\n{C}  new.gz\n"
    found = md5_lists.compare(get(dataset), text)
    assert [(one.name, one.md5) for one in found.changed] == [("run1/a.gz", A), ("b.gz", C)]
    assert [one.name for one in found.extra] == ["c.gz", "new.gz"], "two files bear the name c.gz"
    assert found.missing == ["late.gz", "x/c.gz", "y/c.gz"]
    assert {declared for _state, declared in standing(dataset).values()} == {None}


def test_applied_list_recomputes_each_file(dataset):
    with db.transaction():
        md5_lists.apply(
            db.session.get_one(Dataset, dataset), f"{A}  a.gz\n{C}  b.gz\n{B}  late.gz\n", actor=INES.account
        )
    assert standing(dataset) == {
        "run1/a.gz": (states.RECEIVED, A),
        "b.gz": (states.FAILED, C),
        "late.gz": (states.WAITING, B),
        "x/c.gz": (states.WAITING, None),
        "y/c.gz": (states.WAITING, None),
    }
    with db.transaction():
        apply(dataset, f"{B}  b.gz\n")
    assert standing(dataset)["b.gz"] == (states.RECEIVED, B)
    told = db.session.query(Event).filter_by(dataset_id=dataset, action="edit_file").count()
    assert told == 4


def test_extra_names_become_files_when_asked(dataset):
    with db.transaction():
        md5_lists.apply(
            db.session.get_one(Dataset, dataset), f"{C}  new/c.gz\n{A}  new/d.gz\n", actor=INES.account, add=True
        )
    assert standing(dataset)["new/d.gz"] == (states.WAITING, A)


def test_bad_name_is_told_with_its_line_and_nothing_is_changed(dataset):
    with pytest.raises(errors.Invalid) as refused, db.transaction():
        md5_lists.apply(
            db.session.get_one(Dataset, dataset), f"{A}  a.gz\n{C}  bad name.gz\n", actor=INES.account, add=True
        )
    (fault,) = refused.value.field_messages["digests"].values.values()
    assert (fault.code, fault.values["line"], fault.values["fault"].code) == ("list_line_fault", 2, "name_character")
    assert standing(dataset)["run1/a.gz"] == (states.RECEIVED, None)


def test_contradicting_lines_are_refused(dataset):
    found = md5_lists.compare(get(dataset), f"{A}  b.gz\n{B}  b.gz\n")
    assert [name for name, _ in found.refused] == ["b.gz", "b.gz"] and found.changed == []


def test_contradicting_lines_add_no_file(dataset):
    with db.transaction():
        apply(dataset, f"{A}  new.gz\n{B}  new.gz\n", add=True)
    assert "new.gz" not in standing(dataset)


def test_five_thousand_lines_are_applied_at_once(database, send, sign_in, ines):
    browser = sign_in(ines)
    with db.transaction():
        made = datasets.create(actor=ines.account, title="T").id
    text = "".join(f"{n:032x}  run/f{n:05d}.gz\n" for n in range(5000))
    shown = browser.send(f"/deposit/{made}/digests", digests=text)
    assert "5,000" in shown.text and len(standing(made)) == 0
    browser.send(f"/deposit/{made}/digests", digests=text, add="1")
    assert len(standing(made)) == 5000
    changed = text.replace("  run/", "  ").replace("000000000000000000000000000", "100000000000000000000000000")
    browser.send(f"/deposit/{made}/digests", digests=changed, apply="1")
    assert {declared[0] for _state, declared in standing(made).values()} == {"1"}


def test_preview_compares_with_what_arrived(receiving, sign_in):
    for name in ("right.txt", "wrong.txt"):
        send(name, name.encode())
    with db.transaction():
        rows = [{"name": name} for name in ("right.txt", "wrong.txt", "late.txt")]
        dataset = datasets.create(actor=INES.account, title="T", files=rows)
    pairs = {"right.txt": b"right.txt", "wrong.txt": b"other", "late.txt": b"late"}
    text = "".join(f"{md5(data)}  {name}\n" for name, data in pairs.items())
    found = md5_lists.compare(dataset, text)
    assert [match.name for match in found.agreeing] == ["right.txt"]
    assert [match.name for match in found.differing] == ["wrong.txt"]

    page = sign_in(INES).send(f"/deposit/{dataset.id}/digests", digests=text).text
    assert "agree with the bytes that arrived" in page and "nothing yet" in page
    assert md5(b"wrong.txt") in page


def test_preview_says_nothing_of_bytes_it_did_not_look_for(receiving, sign_in):
    send("extra.txt", b"extra")
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T", files=[{"name": "other.txt"}])
    page = sign_in(INES).send(f"/deposit/{dataset.id}/digests", digests=f"{md5(b'extra')}  extra.txt\n").text
    assert "Not in the dataset" in page
    assert "not compared" in page and "nothing yet" not in page
