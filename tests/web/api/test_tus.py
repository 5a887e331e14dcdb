"""The tus protocol by real requests: announced, sent in pieces, resumed, checked, given up."""

import base64
import hashlib
import threading

import pytest

from portal import clock, db, ingest, states, storage
from portal.domain.accounts import accounts, tokens
from portal.domain.datasets import handover
from portal.domain.uploads import resumable
from portal.ingest import upload_session
from portal.ingest.heartbeat import heartbeat
from portal.jobs.registry import HANDLERS
from portal.models import Account, Dataset, File, Resumable, Upload
from tests.conftest import INES, STRANGER
from tests.depositing import md5
from tests.state_guard import states_unguarded

DATA = bytes(range(256)) * 2000
LENGTH = len(DATA)
TUS = "/api/v1/tus/"
BODY = "application/offset+octet-stream"


@pytest.fixture
def running(app):
    ingest.start("test")
    yield
    ingest.stop()


@pytest.fixture
def call(app, running):
    """A request of Ines's program, or of somebody else's."""
    keys = {}

    def ask(method, address, *, person=INES, data=b"", **headers):
        if person not in keys:
            with db.transaction():
                keys[person] = tokens.issue(person.account, "api")
        sent = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {keys[person]}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        return app.test_client().open(address, method=method, data=data, headers={k: v for k, v in sent.items() if v})

    return ask


def pairs(**known) -> str:
    return ",".join(f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in known.items())


@pytest.fixture
def announce(call):
    def made(length=LENGTH, **known):
        answer = call(
            "POST", TUS, Upload_Length=str(length), Upload_Metadata=pairs(**{"filename": "run1/a.bin"} | known)
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"].partition("localhost")[2]

    return made


def send(call, address, offset, data, **headers):
    return call("PATCH", address, data=data, Upload_Offset=str(offset), Content_Type=BODY, **headers)


def upload() -> Upload | None:
    db.end()
    return db.session.query(Upload).order_by(Upload.id.desc()).first()


def test_options_say_what_the_server_can(app):
    answer = app.test_client().options(TUS)
    assert answer.status_code == 204 and answer.headers["Tus-Version"] == "1.0.0"
    assert {"creation", "termination", "checksum", "expiration"} <= set(answer.headers["Tus-Extension"].split(","))
    assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) == {"md5", "sha1", "sha256"}


def test_one_piece_is_an_upload_digested_while_it_came(call, announce):
    address = announce()
    answer = send(call, address, 0, DATA)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(DATA)))
    row = upload()
    assert (row.name, row.state, row.size, row.md5) == ("run1/a.bin", states.RECEIVED, len(DATA), md5(DATA))
    assert storage.area_path("open", row.account_id, row.token).read_bytes() == DATA
    where = call("HEAD", address)
    assert (where.headers["Upload-Offset"], where.headers["Upload-Length"]) == (str(len(DATA)),) * 2
    assert where.headers["Cache-Control"] == "no-store"


def test_pieces_are_durable_one_by_one_and_read_again_in_the_end(call, announce, run_jobs):
    address = announce()
    for start in range(0, len(DATA), 200_000):
        answer = send(call, address, start, DATA[start : start + 200_000])
        assert answer.status_code == 204
        assert call("HEAD", address).headers["Upload-Offset"] == answer.headers["Upload-Offset"]
    assert upload().md5 is None, "the bytes of several sessions are read again"
    run_jobs()
    assert (upload().md5, upload().sha256) == (md5(DATA), hashlib.sha256(DATA).hexdigest())


def test_bytes_may_come_with_the_announcement(call):
    answer = call(
        "POST", TUS, data=DATA[:1000], Upload_Length="1000", Upload_Metadata=pairs(filename="b.bin"), Content_Type=BODY
    )
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "1000")
    assert upload().md5 == md5(DATA[:1000])


def test_empty_file_is_whole_at_once(call, announce):
    announce(length=0)
    assert (upload().state, upload().size) == (states.RECEIVED, 0)


def test_dataset_that_was_named_declares_the_file(call, announce, app):
    made = call("POST", "/api/v1/datasets", data=b'{"title": "T"}').json
    address = announce(dataset=made["id"], md5=md5(DATA), title="Counts")
    send(call, address, 0, DATA)
    db.end()
    (file,) = db.session.query(File)
    assert (file.name, file.title, file.declared_md5, file.state) == (
        "run1/a.bin",
        "Counts",
        md5(DATA),
        states.RECEIVED,
    )


def test_dataset_that_was_handed_over_meanwhile_takes_no_bytes(call, announce):
    made = call("POST", "/api/v1/datasets", data=b'{"title": "T"}').json
    address = announce(dataset=made["id"], md5=md5(DATA))
    with db.transaction():
        handover.hand_over(db.session.get_one(Dataset, made["id"]), STRANGER.account, actor=None)
    assert send(call, address, 0, DATA).status_code == 404
    assert db.session.query(File).count() == 0 and db.session.query(Upload).count() == 0


def test_file_that_was_handed_over_keeps_what_its_new_submitter_declares(receiving, call):
    """Its bytes came whole; they lie in the area of who sent them, and the dataset of somebody else stays as it was."""
    given = b'{"title": "T", "files": [{"name": "run1/a.bin"}]}'
    made = call("POST", "/api/v1/datasets", data=given).json
    session = upload_session.open(INES.id, realm="open", name="run1/a.bin", via="web", dataset_id=made["id"])
    session.write(DATA)
    with db.transaction():
        handover.hand_over(db.session.get_one(Dataset, made["id"]), STRANGER.account, actor=None)
    session.finish()
    db.end()
    (file,) = db.session.query(File)
    assert (file.declared_md5, file.upload_id, file.state) == (None, None, states.WAITING)
    assert (upload().state, upload().account_id, upload().name) == (states.RECEIVED, INES.id, "run1/a.bin")
    assert upload().dataset_id is None


def test_dataset_of_somebody_else_is_no_place_for_bytes(call):
    """One that a reader may see, being released, is refused as one that they may not."""
    made = call("POST", "/api/v1/datasets", data=b'{"title": "T"}').json
    with states_unguarded():
        released = db.session.get_one(Dataset, made["id"])
        released.state, released.accession, released.released_at = "released", "OMIX000009", clock.now()
    known = {"Upload_Length": "5", "Upload_Metadata": pairs(filename="a.bin", dataset="OMIX000009")}
    assert call("POST", TUS, person=STRANGER, **known).status_code == 403
    assert db.session.query(Resumable).count() == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus_Resumable": "0.2.2"}, 412),
        ({"Upload_Length": "many"}, 400),
        ({"Upload_Length": None}, 400),
        ({"Upload_Metadata": "filename ???"}, 400),
        ({"Upload_Metadata": pairs(filename="a b.bin")}, 422),
        ({"Upload_Metadata": pairs(filename="a.bin", realm="secret")}, 422),
        ({"Upload_Length": str(1 << 43)}, 413),
        ({"Upload_Metadata": pairs(filename="a.bin", dataset="77")}, 404),
        ({"Authorization": "Bearer wrong"}, 401),
    ],
)
def test_bad_announcement_is_refused_before_the_first_byte(call, headers, status):
    answer = call("POST", TUS, **{"Upload_Length": "5", "Upload_Metadata": pairs(filename="a.bin")} | headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert db.session.query(Resumable).count() == 0


def test_quota_is_asked_before_the_first_byte(call, settings):
    settings.quota_gib = 1
    answer = call("POST", TUS, Upload_Length=str(2 << 30), Upload_Metadata=pairs(filename="a.bin"))
    assert answer.status_code == 507 and "quota" in answer.text


def test_wrong_offset_tells_the_right_one(call, announce):
    address = announce()
    send(call, address, 0, DATA[:1000])
    answer = send(call, address, 500, DATA[500:])
    assert (answer.status_code, answer.json["offset"]) == (409, 1000)
    assert send(call, address, 1000, DATA[1000:]).status_code == 204


def test_bytes_need_their_type_and_no_more_than_announced(call, announce):
    address = announce(length=10)
    assert call("PATCH", address, data=b"x", Upload_Offset="0", Content_Type="text/plain").status_code == 415
    assert call("PATCH", address, data=b"x", Content_Type=BODY).status_code == 400
    assert send(call, address, 0, b"x" * 11).status_code == 413
    assert call("HEAD", address).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
def test_damaged_piece_is_taken_back(call, announce, name):
    address = announce()
    send(call, address, 0, DATA[:300_000])
    for piece, status in ((b"!" * 1000, 460), (DATA[300_000:], 204)):
        digest = base64.b64encode(hashlib.new(name, DATA[300_000:]).digest()).decode()
        answer = send(call, address, 300_000, piece, Upload_Checksum=f"{name} {digest}")
        assert answer.status_code == status
    row = upload()
    assert storage.area_path("open", row.account_id, row.token).read_bytes() == DATA


def test_damaged_first_piece_leaves_nothing(call, announce):
    address = announce()
    digest = base64.b64encode(hashlib.sha1(b"other").digest()).decode()
    assert send(call, address, 0, DATA[:5], Upload_Checksum=f"sha1 {digest}").status_code == 460
    assert send(call, address, 0, DATA[:5], Upload_Checksum="crc32 AAAA").status_code == 400
    assert call("HEAD", address).headers["Upload-Offset"] == "0"


def test_declared_md5_that_differs_is_told_at_the_last_byte(call, announce):
    address = announce(md5=md5(b"another"))
    answer = send(call, address, 0, DATA)
    assert answer.status_code == 400 and md5(DATA) in answer.text
    assert upload() is None


def test_upload_given_up_is_gone(call, announce):
    address = announce()
    send(call, address, 0, DATA[:5000])
    path = storage.area_path("open", upload().account_id, upload().token)
    assert path.exists()
    assert call("DELETE", address).status_code == 204
    assert call("HEAD", address).status_code == 404
    assert not path.exists()


def test_whole_upload_stays_when_its_announcement_is_dropped(call, announce):
    address = announce()
    send(call, address, 0, DATA)
    assert call("DELETE", address).status_code == 204
    assert upload().state == states.RECEIVED


def test_methods_may_be_named_in_a_header(call, announce):
    address = announce(length=3)
    sent = call("POST", address, data=b"abc", Upload_Offset="0", Content_Type=BODY, X_HTTP_Method_Override="PATCH")
    assert sent.status_code == 204
    assert call("POST", address, X_HTTP_Method_Override="DELETE").status_code == 204


def test_others_learn_nothing(call, announce):
    address = announce()
    for method in ("HEAD", "PATCH", "DELETE"):
        answer = call(method, address, person=STRANGER, Upload_Offset="0", Content_Type=BODY)
        assert answer.status_code == 404, method


def test_upload_under_way_is_locked_and_taken_up_after_its_silence(call, announce, app):
    """A connection that died without a word: its bytes on disk are gone on with once it was silent for 15 s."""
    address = announce()
    key = address.rpartition("/")[2]
    session = upload_session.open(INES.id, realm="open", name="run1/a.bin", via="web", announced=len(DATA))
    with db.transaction():
        resumable.begin(db.session.get_one(Resumable, key), session.token)
    session.write(DATA[:400_000])
    session.rest()
    heartbeat.tick()
    assert call("HEAD", address).status_code == 423
    assert send(call, address, 400_000, DATA[400_000:]).status_code == 423
    clock.shift(16_000)
    offset = int(call("HEAD", address).headers["Upload-Offset"])
    assert 0 < offset <= 400_000
    assert send(call, address, offset, DATA[offset:]).status_code == 204
    assert session.abort("the ghost wakes") == 0
    row = upload()
    assert storage.area_path("open", row.account_id, row.token).read_bytes() == DATA


def test_stop_before_the_announcement_is_done_with_is_made_good(call, announce, monkeypatch):
    """The bytes are recorded, the process is killed, and the client asks how far it came."""
    made = call("POST", "/api/v1/datasets", data=b'{"title": "T"}').json
    address = announce(dataset=made["id"])
    with monkeypatch.context() as stopped:
        stopped.setattr(resumable, "finish", lambda *_: 1 / 0)
        assert send(call, address, 0, DATA).status_code == 500
    assert call("HEAD", address).headers["Upload-Offset"] == str(len(DATA))
    db.end()
    assert [(file.name, file.state) for file in db.session.query(File)] == [("run1/a.bin", states.RECEIVED)]
    assert db.session.query(Upload).count() == 1
    assert send(call, address, len(DATA), b"").status_code == 204


def test_time_to_finish_ends(call, announce, settings, run_jobs):
    address = announce()
    send(call, address, 0, DATA[:5000])
    assert "Upload-Expires" in call("HEAD", address).headers
    clock.shift((settings.incomplete_days * 24 + 1) * clock.HOUR)
    assert call("HEAD", address).status_code == 410
    with db.transaction():
        resumable.sweep()
    assert call("HEAD", address).status_code == 404
    assert "expire" in HANDLERS


def test_newer_upload_of_the_name_ends_the_older(call, announce):
    address = announce()
    send(call, address, 0, DATA[:5000])
    call("PUT", "/api/v1/uploads/open/run1/a.bin", data=b"newer")
    assert call("HEAD", address).status_code == 410
    db.end()
    assert [(row.state, row.size) for row in db.session.query(Upload).filter_by(state=states.RECEIVED)] == [
        (states.RECEIVED, 5)
    ]


def test_many_pieces_at_once_are_one(call, announce):
    """Only one of many requests for the same bytes is taken."""
    address, answers = announce(), []
    threads = [
        threading.Thread(target=lambda: answers.append(send(call, address, 0, DATA).status_code)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(204) == 1 and set(answers) <= {204, 409, 423}
    assert upload().md5 == md5(DATA) and db.session.query(Upload).count() == 1
    assert db.session.query(Account).count() == 4 and accounts.by_email(INES.email) is not None


@pytest.mark.parametrize(("method", "address"), [("PUT", "/api/v1/uploads/open/x.bin"), ("POST", TUS)])
def test_raw_body_with_a_cookie_needs_the_token(app, running, method, address):
    """A page of ours sends it in a header; another site cannot."""
    browser = app.test_client().sign_in(INES)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": pairs(filename="x.bin")}
    assert browser.open(address, method=method, data=b"x", headers=headers).status_code == 400
    browser.get("/account")
    headers["X-CSRFToken"] = browser.token
    assert browser.open(address, method=method, data=b"x", headers=headers).status_code == 201
