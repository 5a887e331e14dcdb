"""Back up and restore as docs/backup.md says, rehearsed on a running portal."""

import os
import shutil

import pytest

from tests.live import Live, archived

INES, RUTH = "ines@example.org", "ruth@example.org"
FIELDS = {"title": "Counts", "description": "D", "species": "Mus musculus", "access": "open"}


def deposit(live, token: str, name: str) -> dict:
    live.api(token, "PUT", f"/uploads/open/{name}", os.urandom(100_000))
    made = live.api(token, "POST", "/datasets", FIELDS | {"files": [{"name": name}]})[1]
    live.api(token, "POST", f"/datasets/{made['id']}/actions/submit", {})
    return live.wait(token, made["id"], archived)


@pytest.mark.full
@pytest.mark.parametrize("hard_links", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_restored_portal_has_all_of_the_backup_and_gives_no_number_twice(tmp_path, hard_links):
    with Live(tmp_path / "first") as live:
        token = live.add(INES)
        before = deposit(live, token, "before.bin")
        live.api(token, "PUT", "/uploads/open/waiting.bin", b"in the area")
        copy = tmp_path / "copy"
        copy.mkdir()
        live.omix("backup", str(copy / "portal.db"))
        after = deposit(live, token, "after.bin")
        live.api(token, "PUT", "/uploads/open/later.bin", b"came after the copy")
        link = os.link if hard_links else shutil.copy2
        for folder in ("keys", "archive", "area"):
            # What is being written has a name that begins with a dot, and may be gone before it is copied.
            half = shutil.ignore_patterns(".*")
            shutil.copytree(live.instance / folder, copy / folder, copy_function=link, ignore=half)

    restored = tmp_path / "second"
    restored.mkdir()
    for folder in ("keys", "archive", "area"):
        shutil.copytree(copy / folder, restored / folder)
    shutil.copy2(copy / "portal.db", restored / "portal.db")
    with Live(restored) as live:
        found = live.api(token, "GET", f"/datasets/{before['accession']}")[1]
        assert found["files"][0]["state"] == "archived" and found["files"][0]["md5"] == before["files"][0]["md5"]
        assert live.api(token, "GET", f"/datasets/{after['accession']}")[0] == 404
        names = {row["name"] for row in live.api(token, "GET", "/uploads")[1]["items"]}
        assert "waiting.bin" in names and "later.bin" not in names
        newer = deposit(live, token, "newer.bin")
        assert newer["accession"] > after["accession"], "a number given after the copy is not given again"
        said = live.omix("fsck", "--deep", check=False).stdout
        assert after["accession"] in said or said == "Catalogue and disk agree.\n", said
        assert before["accession"] not in said
