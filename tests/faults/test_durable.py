"""Bytes, then their name, then the folder of the name are on the disk before a commit says so, and only then does
anybody hear of it. Take one sync away and a test here fails."""

import errno
import io
import os
from pathlib import Path

import pytest

from portal import clock, db, storage
from portal.domain.access_requests import signed_statement
from portal.domain.accounts import tokens
from portal.domain.datasets import datasets
from portal.domain.uploads.uploads import Place
from portal.ingest import copy_move
from portal.models import Dataset
from portal.web import session
from tests import depositing as deposit
from tests.conftest import INES
from tests.disk import PREPARE, disk
from tests.ftp.conftest import client, door, start

__all__ = ["client", "disk", "door", "start"]
SMALL, LARGE = b"reads", os.urandom(3 << 20)
sizes = pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])


def assert_told_last(disk) -> None:
    """The acknowledgement came behind a commit that would have lost nothing."""
    assert disk.told[-3:] == ["commit", "committed", "acknowledged"]
    assert disk.commits[-1] == []


@sizes
def test_ftp_answers_when_the_commit_stands_on_synced_bytes(disk, client, data):
    disk.pause = 0.05
    client.storbinary("STOR /OMIX/run1/a.gz", io.BytesIO(data))
    disk.told.append("acknowledged")

    assert_told_last(disk)
    assert deposit.area_path("run1/a.gz").read_bytes() == data


@sizes
def test_put_answers_when_the_commit_stands_on_synced_bytes(disk, app, receiving, data):
    with db.transaction():
        key = tokens.issue(INES.account, "api")
    answer = app.test_client().put("/api/v1/uploads/open/a.gz", data=data, headers={"Authorization": f"Bearer {key}"})
    disk.told.append("acknowledged")

    assert answer.status_code == 201
    assert_told_last(disk)


def test_each_piece_of_tus_is_synced_before_it_is_acknowledged(disk, app, receiving):
    with db.transaction():
        headers = {"Authorization": f"Bearer {tokens.issue(INES.account, 'api')}", "Tus-Resumable": "1.0.0"}
    name = {"Upload-Length": str(len(LARGE)), "Upload-Metadata": "filename YS5neg=="}
    made = app.test_client().post("/api/v1/tus/", headers=headers | name)
    for at in range(0, len(LARGE), 1 << 20):
        place = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
        piece = LARGE[at : at + (1 << 20)]
        sent = app.test_client().patch(made.headers["Location"], data=piece, headers=headers | place)
        disk.told.append("acknowledged")

        assert sent.status_code == 204
        assert_told_last(disk)


def test_copy_in_the_area_is_synced_before_it_is_recorded(disk, receiving):
    deposit.send("run1/a.bin", SMALL)
    disk.commits.clear()

    copy_move.copy(INES.id, Place("incoming", "open", "run1"), Place("incoming", "protected", "run2"))

    assert disk.commits
    assert not any(disk.commits)


@pytest.mark.parametrize(
    ("folders", "linking"),
    [(2, False), (storage.FEW_FOLDERS + 2, True)],
    ids=["copied, folders one by one", "linked, the file system at once"],
)
def test_life_of_a_dataset_commits_only_what_is_synced(disk, receiving, run_jobs, monkeypatch, folders, linking):
    """Submitted, archived, bagged, moved to the other realm, opened: no commit on the way is ahead of the disk."""
    contents = {f"run{n}/a.bin": os.urandom(10 + n) for n in range(folders)}
    dataset_id = deposit.submit(contents)
    disk.commits.clear()
    if not linking:
        monkeypatch.setattr(os, "link", other_file_system)

    deposit.run_until_idle(run_jobs, clock)
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), {"access": "controlled"}, actor=INES.account)
    deposit.run_until_idle(run_jobs, clock)
    deposit.approve(dataset_id)
    deposit.ask_release(dataset_id)
    deposit.run_until_idle(run_jobs, clock)

    assert deposit.get(dataset_id).state == "released"
    assert deposit.get(dataset_id).realm == "protected"
    assert [lost for lost in disk.commits if lost] == []
    assert len(disk.commits) > 10
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))


REAL_LINK = os.link


def other_file_system(source, target, **more):
    """Area and archive on two disks: only a draft beside its target may be linked."""
    if Path(source).parent != Path(target).parent:
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    REAL_LINK(source, target, **more)


def test_keys_of_the_site_are_on_the_disk_before_they_are_used(disk, app, settings):
    signed_statement.key()
    session.secret_key(settings)

    assert {path.name for path in settings.keys.iterdir()} >= {"secret", "statement.pem"}
    assert disk.lost() == []


def test_database_waits_for_the_disk_at_each_commit(settings, database, monkeypatch):
    monkeypatch.setattr(db, "_prepare_connection", PREPARE)
    db.configure(settings.database)
    with db.reading() as current:
        assert current.connection().exec_driver_sql("PRAGMA synchronous").scalar() >= 2
