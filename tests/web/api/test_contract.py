"""What the documents promise of the API, held to the letter: refusals name what was sent, and nothing is a fault of
ours that a caller can cause."""

import base64

import pytest
from pydantic import ValidationError

from portal import db
from portal.config import Settings
from portal.domain.shared import history
from portal.models import Event
from portal.queries.files import tallies
from tests import depositing
from tests.web import promised
from tests.web.api.test_api import FIELDS, as_curator, call, receiving  # noqa: F401


def two_files(call):  # noqa: F811
    made = call("POST", "/datasets", json=FIELDS | {"files": [{"name": "a.txt"}, {"name": "b.txt"}]})
    assert made.status_code == 201
    return f"/datasets/{made.json['id']}"


def faults(answer) -> dict[str, str]:
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text
    return {fault["field"]: fault["detail"] for fault in answer.json["errors"]}


def test_no_event_is_written_of_nothing(database):
    with db.transaction():
        history.append_all("remove_file", [])

    assert db.session.query(Event).filter_by(action="remove_file").count() == 0


@pytest.mark.parametrize("submitted", [False, True])
def test_taken_name_is_refused_at_its_field(call, submitted):  # noqa: F811
    where = two_files(call)
    if submitted:
        assert call("POST", f"{where}/actions/submit", json={}).status_code == 200

    renamed = call("PATCH", f"{where}/files/2", json={"name": "a.txt"})
    replaced = call("POST", f"{where}/files/2/replacement", json={"name": "a.txt"})

    assert faults(renamed) == faults(replaced) == {"name": "a.txt is declared already."}
    assert call("GET", f"{where}").json["files"][1]["name"] == "b.txt"


def test_fault_is_told_at_the_field_that_was_sent(call):  # noqa: F811
    where = two_files(call)

    assert set(faults(call("PATCH", f"{where}/files/1", json={"md5": "zz"}))) == {"md5"}
    assert set(faults(call("POST", f"{where}/files/1/replacement", json={"md5": "zz"}))) == {"md5"}
    assert set(faults(call("POST", f"{where}/files", json={"name": "c", "md5": "zz"}))) == {"md5"}
    listed = call("POST", f"{where}/files", json=[{"name": "c"}, {"name": "d"}, {"name": "e", "md5": "zz"}])
    assert set(faults(listed)) == {"files.2.md5"}
    assert set(faults(call("POST", "/datasets", json=FIELDS | {"files": [{"name": "x", "md5": "zz"}]}))) == {
        "files.0.md5"
    }


WRONG = ["5", "true", '["a"]', '{"a": 1}', "NaN", '"\\ud800"']


@pytest.mark.parametrize("value", WRONG)
def test_value_of_the_wrong_type_is_refused_at_its_field(call, value):  # noqa: F811
    where = two_files(call)
    call("PUT", "/uploads/open/up.txt", data=b"x")
    texts = (
        "title",
        "description",
        "species",
        "data_type",
        "bioproject",
        "filing_number",
        "investigator",
        "access",
        "release_date",
        "human",
    )
    calls = [
        ("POST", "/datasets", texts),
        ("PATCH", where, texts),
        ("PATCH", f"{where}/files/1", ("name", "title", "description", "data_type", "md5", "unit")),
        ("POST", f"{where}/files/1/replacement", ("name", "md5")),
        ("PATCH", "/uploads/1", ("name",)),
        ("PUT", f"{where}/terms", ("agreement", "committee")),
        ("POST", f"{where}/deciders", ("email",)),
        ("POST", "/requests", ("purpose", "institution", "note")),
        ("POST", f"{where}/remarks", ("text", "section")),
        ("POST", f"{where}/publications", ("publication", "title")),
        ("POST", "/webhooks", ("address", "label")),
        ("POST", "/area/copy", ("from", "to")),
        ("POST", "/area/remove", ("path",)),
        ("POST", f"{where}/actions/submit", ("note",)),
    ]
    for method, address, fields in calls:
        wrong = [field for field in fields if not (field == "human" and value == "true")]
        answer = call(method, address, data="{" + ", ".join(f'"{field}": {value}' for field in wrong) + "}")
        assert set(faults(answer)) == set(wrong), (method, address, answer.text)


def test_faults_of_many_files_name_each(call):  # noqa: F811
    where = two_files(call)
    given = [{"name": "c"}, {"name": ["d"]}, {"name": "e", "md5": 5, "samples": True}, "f"]

    assert set(faults(call("POST", f"{where}/files", json=given))) == {
        "files.1.name",
        "files.2.md5",
        "files.2.samples",
        "files.3",
    }
    assert call("POST", f"{where}/files", json={"files": given}).json["errors"]
    assert call("POST", f"{where}/files", json=5).status_code == 422
    assert (
        call("POST", f"{where}/files", json={"files": [{"name": "c", "md5": None, "samples": "3"}]}).status_code == 201
    )


@pytest.mark.parametrize(
    "text", ["[" * 20_000, '{"title":' * 20_000, "{", "\xff", "null", "[]", '{"title": 1' + "0" * 5000]
)
def test_body_that_is_no_object_is_refused(call, text):  # noqa: F811
    assert call("POST", "/datasets", data=text.encode("latin-1")).status_code == 422


RESERVED = ["OMIX000001", "OMIX000070/f", "OMIX/x", "OMIX"]


@pytest.mark.parametrize("name", RESERVED)
def test_names_kept_for_released_datasets_are_refused_wherever_uploads_enter(call, name):  # noqa: F811
    where = two_files(call)
    call("PUT", "/uploads/open/up.txt", data=b"x")

    assert call("PUT", f"/uploads/open/{name}", data=b"x").json["code"] == "bad_name"
    announced = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "1",
        "Upload-Metadata": "filename " + base64.b64encode(name.encode()).decode(),
    }
    assert call("POST", "/tus/", headers=announced).json["code"] == "bad_name"
    assert call("PATCH", "/uploads/1", json={"name": name}).json["code"] == "bad_name"
    assert call("POST", "/area/copy", json={"from": "/OMIX/up.txt", "to": f"/OMIX/{name}"}).json["code"] == "bad_name"
    assert "name" in faults(call("PATCH", f"{where}/files/1", json={"name": name}))
    assert "name" in faults(call("POST", f"{where}/files", json={"name": name}))


def test_file_and_folder_never_share_a_name(call):  # noqa: F811
    assert call("PUT", "/uploads/open/run1", data=b"a").status_code == 201
    assert call("PUT", "/uploads/open/run2/a.txt", data=b"b").status_code == 201
    assert call("PUT", "/uploads/protected/run1/x", data=b"c").status_code == 201, "another realm is another area"

    beneath = call("PUT", "/uploads/open/run1/deep/x", data=b"d")
    above = call("PUT", "/uploads/open/run2", data=b"e")
    moved = call("POST", "/area/move", json={"from": "/OMIX/run2/a.txt", "to": "/OMIX/run1/a.txt"})
    renamed = call("PATCH", "/uploads/1", json={"name": "run2"})

    assert [one.status_code for one in (beneath, above, moved, renamed)] == [409] * 4
    assert beneath.json["detail"].startswith("run1 is a file") and "run2 is a folder" in above.json["detail"]
    assert call("PUT", "/uploads/open/run1", data=b"new").status_code == 201
    assert call("PUT", "/uploads/open/run2/b.txt", data=b"new").status_code == 201


def test_answers_are_as_described(app, call, as_curator, run_jobs):  # noqa: F811
    """Every kind of thing that can be read, full and empty, as its owner and as a curator read it."""
    content = {"run1/a.txt": b"a", "run1/b.txt": b"b"}
    submitted = depositing.submit(content, declared={"run1/b.txt": "0" * 32})
    two_files(call)
    call("PUT", "/uploads/protected/c.txt", data=b"c")
    call("PUT", "/uploads/protected/c.txt", data=b"newer")
    run_jobs()
    run_jobs()
    reads = [
        f"/datasets/{submitted}",
        f"/datasets/{submitted}/files",
        "/datasets",
        "/datasets/2",
        "/datasets/2/files",
        "/uploads",
        "/uploads/1",
        "/area",
        "/area?path=/OMIX/run1",
        "/area/usage",
        "/events?limit=500",
        "/components",
        "/components/OMIX000001",
        "/reports",
        "/reports/accessions",
        "/reports/files",
        "/reports/metadata",
        "/reports/usage",
        f"/datasets/{submitted}/terms",
        "/requests",
        "/webhooks",
        f"/datasets/{submitted}/publications",
        f"/datasets/{submitted}/remarks",
    ]
    for path in reads:
        promised.check(app, "GET", f"/api/v1{path}", call("GET", path, buffered=True))
    for path in (reads[0], reads[1], "/datasets", "/events", "/components"):
        answer = as_curator("GET", path)
        assert answer.status_code == 200
        promised.check(app, "GET", f"/api/v1{path}", answer)
    states = {file["state"] for file in call("GET", reads[1]).json["items"]}
    assert states == {"archived", "failed"} and call("GET", "/components").json["items"]


def test_nothing_of_a_withdrawn_dataset_is_archived_or_loaded(app, call, as_curator, run_jobs):  # noqa: F811
    number = depositing.submit({"a.txt": b"a"})
    run_jobs()
    depositing.approve(number)
    run_jobs()
    assert {one["color"] for one in call("GET", "/components").json["items"]} == {"green"}
    assert as_curator("POST", f"/datasets/{number}/actions/withdraw", json={"note": "Consent."}).status_code == 200
    run_jobs()

    file = call("GET", f"/datasets/{number}").json["files"][0]
    assert (file["state"], file["color"], file["progress"]) == ("removed", "grey", None)
    assert call("GET", "/uploads/1").json["state"] == "obsolete"
    parts = call("GET", "/components").json["items"]
    assert {(one["status"], one["state"], one["color"], one["xml"]) for one in parts} == {
        ("withdrawn", "received", "grey", None)
    }
    with app.test_request_context():
        tally = tallies.of([depositing.get(number)])[number]
    assert "archived" not in tally.files and set(tally.components) == {"received"}
    assert call("PUT", "/uploads/open/a.txt", data=b"anew").status_code == 201, "the name is free again"


def test_frozen_uploads_are_not_renamed(call, run_jobs):  # noqa: F811
    depositing.submit({"a.txt": b"a"})
    run_jobs()
    call("PUT", "/uploads/open/b.txt", data=b"old")
    call("PUT", "/uploads/open/b.txt", data=b"new")

    archived, obsolete = (call("PATCH", f"/uploads/{n}", json={"name": "c.txt"}) for n in (1, 2))

    assert (archived.status_code, archived.json["code"]) == (409, "frozen")
    assert obsolete.status_code == 409 and call("PATCH", "/uploads/99", json={"name": "c"}).status_code == 404


def test_every_problem_has_a_code(new_app, call):  # noqa: F811
    assert call("POST", "/events").json["code"] == "method_not_allowed"
    new_app.add_url_rule("/api/v1/broken", "broken", lambda: 1 / 0)
    assert new_app.test_client().get("/api/v1/broken").json["code"] == "fault"


def test_links_are_told_under_the_public_address(settings, call, run_jobs):  # noqa: F811
    number = depositing.submit({"a.txt": b"a"})
    run_jobs()
    depositing.approve(number)
    settings.public_url = "https://data.example.org"

    url = call("POST", f"/datasets/{number}/links", json={"label": "Reviewers"}).json["url"]

    assert url.startswith("https://data.example.org/share/")


def test_name_that_is_kept_is_told_before_it_is_sent(call):  # noqa: F811
    assert "kept for released datasets" in call("GET", "/names?name=OMIX000001/a").json["fault"]


def test_settings_that_mean_nothing_stop_the_start():
    for name in ("database_url", "queue_url", "mail_url", "ftp_passive_ports"):
        for value in ("nonsense", "60000-50000") if name == "ftp_passive_ports" else ("nonsense", "redis://x/0"):
            with pytest.raises(ValidationError):
                Settings(**{name: value})
    good = Settings(
        database_url="postgresql+psycopg://me@db/omix",
        mail_url="smtps://me:pw@mail.example.org:465",
        queue_url="sqlite:////srv/queue.db",
        ftp_passive_ports="0-0",
    )
    assert good.passive_range is None
