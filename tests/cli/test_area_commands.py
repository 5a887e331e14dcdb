"""`omix area`, as an operator uses it: list, copy, move, remove, and bring in from disk."""

import pytest

from portal import cli, db
from portal.domain.datasets import datasets
from portal.models import File, Upload
from tests.conftest import INES


@pytest.fixture
def omix(database, capsys, monkeypatch):
    """Run a command on the instance of the test; its exit code and what it said."""
    monkeypatch.setattr("portal.cli.area_commands.open_instance", lambda **_options: None)

    def run(*words: str) -> tuple[int, str]:
        code = cli.main(["area", words[0], INES.email, *words[1:]])
        db.end()
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def filled(omix, tmp_path):
    folder = tmp_path / "my run"
    folder.mkdir()
    (folder / "two words.txt").write_bytes(b"one")
    (folder / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "b.txt").write_bytes(b"two")
    code, said = omix("import", str(folder), str(tmp_path / "b.txt"), "--to", "/OMIX/in")
    assert code == 0, said
    return said


def names() -> list[str]:
    db.end()
    return sorted(row.name for row in db.session.query(Upload).filter(Upload.state == "received"))


def test_import_brings_files_under_names_that_will_do(filled):
    assert names() == ["in/b.txt", "in/my_run/two_words.txt"]
    assert "f97c5d29941bfb1b2fdab0874906ab82  /OMIX/in/my_run/two_words.txt" in filled


def test_import_for_a_dataset_brings_files_into_it_alone(omix, filled, tmp_path):
    with db.transaction():
        dataset_id = datasets.create(actor=INES.account, title="T").id
    code, said = omix("import", str(tmp_path / "b.txt"), "--dataset", str(dataset_id))
    assert (code, said.split()[-1]) == (0, f"/datasets/{dataset_id}/b.txt")
    assert [file.name for file in db.session.query(File)] == ["b.txt"]
    assert omix("ls")[1].split() == ["folder", "in/"], "it does not lie in the area"


def test_import_says_what_it_could_not_bring(omix, tmp_path):
    code, said = omix("import", str(tmp_path / "nothing.txt"))
    assert code == 1 and "nothing.txt" in said


def test_ls_shows_folders_and_files(omix, filled):
    assert omix("ls")[1].split() == ["folder", "in/"]
    lines = omix("ls", "/OMIX/in")[1].splitlines()
    assert [line.split()[-1] for line in lines] == ["my_run/", "b.txt"]
    assert omix("ls", "/OMIX/in/b.txt")[1].split()[:2] == ["received", "3"]


def test_cp_goes_into_a_folder_that_is_there(omix, filled):
    assert omix("cp", "/OMIX/in/b.txt", "/OMIX/in/my_run") == (
        0,
        "1 uploads: /OMIX/in/b.txt to /OMIX/in/my_run/b.txt\n",
    )
    assert "in/my_run/b.txt" in names()


def test_mv_takes_a_folder_to_the_other_realm(omix, filled):
    code, said = omix("mv", "/OMIX/in", "/OMIX-protected/safe")
    assert code == 0, said
    assert {(row.realm, row.name) for row in db.session.query(Upload)} == {
        ("protected", "safe/b.txt"),
        ("protected", "safe/my_run/two_words.txt"),
    }


def test_rm_takes_a_folder_only_when_told(omix, filled):
    assert omix("rm", "/OMIX/in")[0] == 1
    assert omix("rm", "-r", "/OMIX/in") == (0, "2 uploads removed.\n")
    assert names() == []


def test_nobody_and_nowhere_are_said(omix):
    assert "There is no nothing" in omix("cp", "/OMIX/nothing", "/OMIX/b")[1]
    assert "Paths begin with /OMIX/" in omix("ls", "/outgoing")[1]
