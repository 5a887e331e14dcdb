"""What operating systems lay beside data comes into the drop box like anything, and never becomes part of a dataset."""

import pytest

from portal import db, errors
from portal.domain.datasets import datasets
from portal.domain.files import area_paths, files, matching, md5_lists, spreadsheet
from portal.domain.shared import companions, path_names
from portal.domain.uploads import resumable
from portal.models import Upload
from portal.queries.uploads import area
from tests.conftest import INES
from tests.depositing import files_of, md5, send

COMPANIONS = (
    "._a.csv",
    ".DS_Store",
    "Thumbs.db",
    "THUMBS.DB",
    "desktop.ini",
    "~$report.docx",
    "run/._b",
    "run/.DS_Store",
)
NO_COMPANIONS = ("a.csv", "_a.csv", "thumbs.db.csv", "run/desktop.ini/a.csv", "DS_Store", "a~$b")


@pytest.mark.parametrize("name", COMPANIONS)
def test_the_area_takes_it_and_no_dataset_does(receiving, name):
    assert companions.is_companion(name)
    upload_id = send(name, b"attributes").upload_id

    assert db.session.get_one(Upload, upload_id).name == name
    with pytest.raises(errors.Invalid) as refused, db.transaction():
        datasets.create(actor=INES.account, title="T", files=[{"name": name}])
    assert refused.value.field_messages["files.0.name"].code == "name_companion"


@pytest.mark.parametrize("name", NO_COMPANIONS)
def test_what_only_looks_like_one_is_data(name):
    assert not companions.is_companion(name)


@pytest.mark.parametrize("name", COMPANIONS)
def test_no_name_is_offered_in_its_place(name):
    """For ._a.csv that would be a.csv: whoever took it would put attributes in the place of data."""
    assert path_names.suggest(name) == ""


def test_folder_of_such_a_name_is_refused_as_before():
    for name in ("._run/a.csv", ".git/config", "~$x/a.csv"):
        with pytest.raises(errors.BadName):
            area_paths.clean(name)


def test_query_and_rule_know_the_same_ones(receiving):
    for name in (*COMPANIONS[:3], *COMPANIONS[4:], "a.csv", "_a.csv", "thumbs.db.csv"):
        send(name, name.encode())
    found = {row.name for row in db.session.query(Upload).filter(companions.among(Upload.base))}

    assert found == {*COMPANIONS[:3], *COMPANIONS[4:]}


def test_it_is_no_candidate_of_a_file(receiving):
    send("Thumbs.db", b"thumbs")
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T", files=[{"name": "x/y.csv"}])
    assert not db.session.query(Upload).filter(*matching.in_box_for(dataset)).count()


def test_it_is_not_sent_for_a_dataset(receiving):
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T")
    with pytest.raises(errors.BadName) as refused, db.transaction():
        resumable.announce(actor=INES.account, name="._a.csv", length=5, dataset=str(dataset.id))
    assert refused.value.message.code == "name_companion"


def test_lists_leave_it_out_and_say_so(receiving):
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T", files=[{"name": "a.csv"}])
        lines = f"{md5(b'a')}  a.csv\n{md5(b'b')}  ._a.csv\n{md5(b'c')}  .DS_Store\n"
        listed = md5_lists.apply(dataset, lines, actor=INES.account, add=True)
        table = spreadsheet.apply(dataset, "Name\tTitle\n._a.csv\tx\nb.csv\ty\n", actor=INES.account, add=True)

    assert (listed.companions, table.companions) == (2, 1)
    assert [file.name for file in files_of(dataset.id)] == ["a.csv", "b.csv"]


def test_area_folds_it_behind_one_line(receiving, sign_in):
    send("a.csv", b"a")
    send("._a.csv", b"b")
    send(".DS_Store", b"c")
    client = sign_in(INES)
    page = client.get("/area").text

    assert [row.upload.name for row in area.page(INES.account).rows] == ["a.csv"]
    assert "2 companion" in page and ">._a.csv<" not in page
    assert "._a.csv" in client.get("/area?view=companions").text


def test_suggestion_is_free_in_the_area_and_in_open_datasets(receiving):
    send("my_file.csv", b"a")
    with db.transaction():
        datasets.create(actor=INES.account, title="T", files=[{"name": "my_file_2.csv"}])
    with pytest.raises(errors.BadName) as refused:
        send("my file.csv", b"b")

    assert refused.value.more["suggestion"] == "my_file_3.csv"


def test_suggestions_of_one_batch_differ_from_its_names(database):
    rows = [{"name": "my_file.csv"}, {"name": "my file.csv"}]
    with pytest.raises(errors.Invalid) as refused, db.transaction():
        datasets.create(actor=INES.account, title="T", files=rows)

    assert "my_file_2.csv" in str(refused.value.field_messages["files.1.name"])


@pytest.mark.parametrize(
    ("names", "code", "index"),
    [
        (["k/a", "k/a/b"], "path_is_folder", 0),
        (["k/a/b", "k/a"], "path_is_folder", 1),
    ],
)
def test_file_and_folder_of_one_name_are_not_both_declared(database, names, code, index):
    with pytest.raises(errors.Invalid) as refused, db.transaction():
        datasets.create(actor=INES.account, title="T", files=[{"name": name} for name in names])
    assert refused.value.field_messages[f"files.{index}.name"].code == code


@pytest.mark.parametrize(
    ("first", "then", "code"), [("k/a", "k/a/b", "path_below_file"), ("k/a/b", "k/a", "path_is_folder")]
)
def test_nor_one_after_the_other(database, first, then, code):
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T", files=[{"name": first}, {"name": "z"}])
    with pytest.raises(errors.Invalid) as added, db.transaction():
        files.add(dataset, [{"name": then}], actor=INES.account)
    with pytest.raises(errors.Invalid) as renamed, db.transaction():
        files.edit(files.by_number(dataset, 2), {"name": then}, actor=INES.account)

    assert added.value.field_messages["files.0.name"].code == renamed.value.field_messages["name"].code == code
