"""Grants at the doors: asked at each request, over HTTP and FTP, whole or in part; written down; cut when they end."""

import ftplib
import io
import socket
import zipfile

import pytest
from sqlalchemy import update

from portal import clock, db, storage
from portal.domain.access_requests import download_log
from portal.domain.access_requests.download_log import Download
from portal.domain.accounts import accounts, tokens
from portal.models import Dataset, Event
from portal.web.catalogue import active_downloads, download
from tests.access_requests.support import (
    CANARY,
    COLLEAGUE,
    CONTENTS,
    INES,
    RUTH,
    STRANGER,
    act,
    dataset,
    get,
    grant,
    release,
)
from tests.counting import statements
from tests.ftp.support import refusal
from tests.waiting import until

NAMES = tuple(CONTENTS)


def paths(accession: str) -> list[str]:
    base = f"/datasets/{accession}"
    return [f"{base}/files/{NAMES[0]}", f"{base}/files/{NAMES[1]}", f"{base}/all.zip", f"{base}/md5sum.txt"]


def log(request_id: int) -> list[dict]:
    db.end()
    return [event.after for event in download_log.of_request(get(request_id))]


def got(client: ftplib.FTP, path: str) -> bytes:
    held = io.BytesIO()
    client.retrbinary(f"RETR {path}", held.write)
    return held.getvalue()


def test_grant_opens_every_http_door_and_its_end_closes_them(livers, sign_in):
    browser = sign_in(STRANGER)
    assert {browser.get(path).status_code for path in paths(livers)} == {403}
    made = grant(livers)
    assert {browser.get(path, buffered=True).status_code for path in paths(livers)} == {200}
    part = browser.get(paths(livers)[0], headers={"Range": "bytes=5-9"}, buffered=True)
    assert part.status_code == 206 and part.data == CONTENTS[NAMES[0]][5:10]
    head = browser.head(paths(livers)[0])
    assert head.status_code == 200 and int(head.headers["Content-Length"]) == len(CONTENTS[NAMES[0]])
    assert head.headers["Cache-Control"] == "no-store"
    act(made, "revoke", note="Enough.")
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": head.headers["ETag"]}):
        for path in paths(livers):
            assert browser.get(path, headers=headers).status_code == 403
            assert browser.head(path, headers=headers).status_code == 403


def test_stranger_is_told_why_and_who_decides(livers, sign_in, client):
    for browser, status in ((client, 401), (sign_in(STRANGER), 403)):
        answer = browser.get(paths(livers)[0], headers={"Accept": "*/*"})  # as a program asks: no detour to sign in
        assert answer.status_code == status
        assert "under controlled access" in answer.text and "Ines Okafor decides" in answer.text
        assert livers in answer.text
    assert "Ines Okafor decides" in client.get(paths(livers)[0], follow_redirects=True).text


def test_bearer_token_opens_what_is_granted(livers, client):
    grant(livers)
    with db.transaction():
        mine, other = (tokens.issue(person.account, "api") for person in (STRANGER, COLLEAGUE))
    for secret, status in ((mine, 200), (other, 403), ("wrong", 401)):
        answer = client.get(paths(livers)[1], headers={"Authorization": f"Bearer {secret}"}, buffered=True)
        assert answer.status_code == status
        assert (CANARY in answer.data) == (status == 200)


def test_grant_of_chosen_files_opens_no_other(livers, sign_in, door):
    grant(livers, numbers=[2])
    browser = sign_in(STRANGER)
    assert browser.get(paths(livers)[0]).status_code == 403
    assert browser.get(paths(livers)[1], buffered=True).data == CONTENTS[NAMES[1]]
    packed = zipfile.ZipFile(io.BytesIO(browser.get(paths(livers)[2], buffered=True).data))
    assert packed.namelist() == [f"{livers}/{NAMES[1]}"]
    assert NAMES[0] not in browser.get(paths(livers)[3]).text
    client = door.plain(STRANGER)
    assert [name for name, _ in client.mlsd(f"/granted/{livers}")] == sorted(
        [NAMES[1], "md5sum.txt", "manifest-md5.txt"]
    )
    assert refusal(client, f"SIZE /granted/{livers}/{NAMES[0]}").startswith("550")
    assert NAMES[0] not in got(client, f"/granted/{livers}/md5sum.txt").decode()


def test_granted_dataset_lies_in_the_home_of_its_person_alone(livers, door):
    release(INES)
    made = grant(livers)
    client = door.plain(STRANGER)
    assert [name for name, _ in client.mlsd("/granted")] == [livers]
    assert got(client, f"/granted/{livers}/{NAMES[0]}") == CONTENTS[NAMES[0]]
    assert client.size(f"/granted/{livers}/{NAMES[1]}") == len(CONTENTS[NAMES[1]])
    for person in (COLLEAGUE, INES, RUTH):
        other = door.plain(person)
        assert list(other.mlsd("/granted")) == []
        missing = refusal(other, f"RETR /granted/OMIX000099/{NAMES[1]}").replace("OMIX000099", livers)
        assert refusal(other, f"RETR /granted/{livers}/{NAMES[1]}") == missing
        for command in ("SIZE", "MDTM", "MLST", "CWD", "HASH", "XMD5", "STAT"):
            assert refusal(other, f"{command} /granted/{livers}/{NAMES[1]}").startswith("550")
    for command in ("STOR", "MKD", "DELE", "RNFR", "APPE"):
        assert refusal(client, f"{command} /granted/{livers}/x").startswith("550")
    act(made, "revoke", note="Enough.")
    assert list(client.mlsd("/granted")) == []
    assert refusal(client, f"RETR /granted/{livers}/{NAMES[1]}").startswith("550")


def test_every_download_is_written_down(livers, sign_in, door):
    made = grant(livers)
    browser = sign_in(STRANGER)
    browser.get(paths(livers)[1], buffered=True)
    browser.get(paths(livers)[0], headers={"Range": "bytes=100-199"}, buffered=True)
    size = len(browser.get(paths(livers)[2], buffered=True).data)
    got(door.plain(STRANGER), f"/granted/{livers}/{NAMES[1]}")
    until(lambda: len(log(made)) == 4 and log(made)[-1]["bytes"])
    told = [(one["via"], one["name"], one["offset"], one["bytes"], one["whole"]) for one in log(made)]
    small = len(CONTENTS[NAMES[1]])
    assert told == [
        ("http", NAMES[1], 0, small, True),
        ("http", NAMES[0], 100, 100, True),
        ("zip", "all.zip", 0, size, True),
        ("ftp", NAMES[1], 0, small, True),
    ]
    assert {one["address"] for one in log(made)} == {"127.0.0.1"}
    browser.head(paths(livers)[0])
    assert len(log(made)) == 4


def test_submitter_of_controlled_data_is_written_down_too(livers, sign_in):
    sign_in(INES).get(paths(livers)[1], buffered=True)
    db.end()
    told = [(event.actor_id, event.after["request"]) for event in download_log.of_dataset(dataset(livers))]
    assert told == [(INES.id, None)]


def test_open_data_are_not_written_down(database, client):
    accession = release(INES, access="open")
    client.get(paths(accession)[1], buffered=True)
    assert db.session.query(Event).filter(Event.action.like("download%")).count() == 0


def end_by_revocation(made: int) -> None:
    act(made, "revoke", note="Enough.")


def end_by_time(made: int) -> None:
    clock.shift(400 * clock.DAY)


def end_by_closing(made: int) -> None:
    with db.transaction():
        accounts.close(STRANGER.account, actor=None)


@pytest.fixture
def large(database):
    return release(INES, contents={NAMES[0]: CANARY * 200_000, NAMES[1]: b"small"})


@pytest.mark.parametrize("end", [end_by_revocation, end_by_time, end_by_closing])
@pytest.mark.parametrize("which", [0, 2])
def test_running_http_download_is_cut(large, sign_in, end, which):
    made = grant(large)
    answer = sign_in(STRANGER).get(paths(large)[which])
    pieces = iter(answer.response)
    assert next(pieces)
    active_downloads.cut_ended()
    assert next(pieces)
    end(made)
    active_downloads.cut_ended()
    with pytest.raises(ConnectionAbortedError):
        for _ in range(3):
            next(pieces)
    answer.close()
    assert not log(made)[0]["whole"] and 0 < log(made)[0]["bytes"] < len(CANARY) * 200_000


def test_cut_hangs_up_on_a_reader_who_has_stopped_reading(livers):
    """The thread that sends sits in the kernel; the watch ends the connection under it."""
    made = grant(livers)
    ours, theirs = socket.socketpair()
    download = Download(1, NAMES[0], "http", 100, account_id=STRANGER.id, request_id=made, is_counted=False)
    running = active_downloads.Running(download, ours)
    active_downloads.watch(running)
    act(made, "revoke", note="Enough.")
    active_downloads.cut_ended()
    with pytest.raises(BrokenPipeError):
        ours.sendall(CANARY)
    theirs.close()
    ours.close()
    running.over(0)
    assert running not in active_downloads._running


@pytest.mark.parametrize("end", [end_by_revocation, end_by_time])
def test_running_ftp_download_is_cut(large, door, monkeypatch, end):
    monkeypatch.setattr("ftp.transfers.RECHECK", 0.1)
    made = grant(large)
    client = door.plain(STRANGER)
    client.voidcmd("TYPE I")
    sock = client.transfercmd(f"RETR /granted/{large}/{NAMES[0]}")
    assert sock.recv(100)
    end(made)
    assert client.getmultiline().startswith("426")
    sock.close()
    until(lambda: log(made) and not log(made)[0]["whole"])


def test_download_broken_off_by_the_end_of_the_server_is_still_seen(livers):
    made = grant(livers)
    with db.transaction():
        download_log.record(
            download_log.BEGUN,
            Download(dataset(livers).id, NAMES[0], "http", 100, account_id=STRANGER.id, request_id=made),
        )
    assert [(one["name"], one["whole"]) for one in log(made)] == [(NAMES[0], False)]


def test_unpublished_dataset_opens_to_no_grant(livers, sign_in, door):
    grant(livers)
    with db.transaction():
        dataset(livers).state = "approved"
    assert {sign_in(STRANGER).get(path).status_code for path in paths(livers)} == {404}
    assert list(door.plain(STRANGER).mlsd("/granted")) == []


def test_refusals_take_the_same_work_and_words_for_hidden_and_missing(database, sign_in):
    hidden = release(INES, state="approved")
    browser = sign_in(STRANGER)
    browser.get("/")
    asked = {}
    for name in (hidden, "OMIX000099"):
        with statements() as asked[name]:
            answers = [browser.get(path) for path in paths(name)]
        assert {answer.status_code for answer in answers} == {404}
    one, other = (browser.get(f"/datasets/{name}").text.replace(name, "") for name in (hidden, "OMIX000099"))
    assert strip_token(one) == strip_token(other)
    assert asked[hidden] == asked["OMIX000099"] != []


def strip_token(text: str) -> str:
    return "".join(line for line in text.splitlines() if "csrf" not in line.lower())


@pytest.mark.parametrize("which", [0, 2])
def test_answer_that_is_never_read_is_over_too(livers, sign_in, which):
    made = grant(livers)
    answer = sign_in(STRANGER).get(paths(livers)[which])
    answer.close()
    db.end()
    assert [event.action for event in download_log.of_request(get(made))] == ["download"]
    assert made not in {one.download.request_id for one in active_downloads._running}


def test_bytes_that_move_while_they_are_asked_for_are_found(database, sign_in, monkeypatch):
    """The catalogue is read, then the job switches the realm and removes the first copy, then the file is opened."""
    accession = release(INES, state="approved")
    path = f"data/{accession}-02/{NAMES[1]}"
    opened = download.open_archived

    def moved(where, size):
        monkeypatch.setattr(download, "open_archived", opened)
        new = storage.archived_path("open", accession, path)
        new.parent.mkdir(parents=True)
        where.rename(new)
        with db.engine().connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(update(Dataset).values(realm="open"))
        return opened(where, size)

    monkeypatch.setattr(download, "open_archived", moved)
    answer = sign_in(INES).get(f"/datasets/{accession}/files/{NAMES[1]}", buffered=True)
    assert answer.status_code == 200 and answer.data == CONTENTS[NAMES[1]]
