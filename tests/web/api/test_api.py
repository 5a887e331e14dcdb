"""The API as a program of another institute uses it: bearer token, JSON, raw bodies."""

import base64
import hashlib

import pytest

from portal import db, ingest
from portal.domain.accounts import tokens
from tests.conftest import RUTH, STRANGER


class Program:
    """A client with one person's API token and no cookies."""

    def __init__(self, app, person):
        with db.transaction():
            self.secret = tokens.issue(person.account, "api", label="test")
        self.client = app.test_client(use_cookies=False)

    def __call__(self, method, path, **options):
        headers = {"Authorization": f"Bearer {self.secret}", "Accept": "application/json", **options.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)


@pytest.fixture
def receiving(app):
    ingest.start("test")
    yield
    ingest.stop()


@pytest.fixture
def call(app, ines, receiving):
    return Program(app, ines)


@pytest.fixture
def as_curator(app, ruth, receiving):
    return Program(app, RUTH)


FIELDS = {"title": "T", "description": "D", "species": "Mus musculus", "access": "open"}


def test_put_answers_with_the_digests_of_what_was_stored(call):
    answer = call("PUT", "/uploads/open/run1/a.txt", data=b"hello")

    assert answer.status_code == 201
    assert answer.json["md5"] == hashlib.md5(b"hello").hexdigest()
    assert (answer.json["name"], answer.json["size"], answer.json["state"]) == ("run1/a.txt", 5, "received")
    assert call("PUT", "/uploads/open/run1/a.txt", data=b"hello").status_code == 200


def test_put_compares_the_announced_digest(call):
    right = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    wrong = base64.b64encode(bytes(32)).decode()

    refused = call("PUT", "/uploads/open/a.txt", data=b"hello", headers={"Repr-Digest": f"sha-256=:{wrong}:"})
    taken = call("PUT", "/uploads/open/b.txt", data=b"hello", headers={"Repr-Digest": f"sha-256=:{right}:"})

    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    assert taken.status_code == 201
    assert [row["name"] for row in call("GET", "/uploads").json["items"]] == ["b.txt"]


def test_put_refuses_an_unsafe_name_with_a_better_one(call):
    answer = call("PUT", "/uploads/open/a%20b.txt", data=b"x")

    assert (answer.status_code, answer.json["suggestion"]) == (422, "a_b.txt")


def test_dataset_is_declared_and_read_back(call):
    call("PUT", "/uploads/open/a.txt", data=b"a")
    made = call(
        "POST",
        "/datasets",
        json=FIELDS
        | {
            "data_type": "Proteomics",
            "files": [{"name": "a.txt", "md5": hashlib.md5(b"a").hexdigest().upper(), "samples": 3}, {"name": "b.txt"}],
        },
    )

    assert made.status_code == 201
    read = call("GET", f"/datasets/{made.json['id']}").json
    assert read == made.json
    assert [(file["state"], file["color"], file["data_type"]) for file in read["files"]] == [
        ("received", "grey", "Proteomics"),
        ("waiting", "grey", "Proteomics"),
    ]


def test_faults_stand_at_their_fields(call):
    answer = call("POST", "/datasets", json=FIELDS | {"access": "secret", "release_date": "soon"})

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json["errors"]} == {"access", "release_date"}


def test_repeated_call_with_a_key_makes_one_dataset(call):
    first = call("POST", "/datasets", json=FIELDS, headers={"Idempotency-Key": "k1"})
    again = call("POST", "/datasets", json=FIELDS, headers={"Idempotency-Key": "k1"})

    assert first.json["id"] == again.json["id"]
    assert len(call("GET", "/datasets").json["items"]) == 1


def test_mended_md5_is_compared_at_once(call):
    call("PUT", "/uploads/open/a.txt", data=b"a")
    dataset = call("POST", "/datasets", json=FIELDS | {"files": [{"name": "a.txt", "md5": "0" * 32}]}).json
    assert (dataset["files"][0]["color"], dataset["files"][0]["error"]) == ("red", "md5_mismatch")

    mended = call("PATCH", f"/datasets/{dataset['id']}/files/1", json={"md5": hashlib.md5(b"a").hexdigest()})

    assert (mended.json["color"], mended.json["error"]) == ("grey", None)


def test_life_cycle_by_calls(call, as_curator):
    dataset = call("POST", "/datasets", json=FIELDS | {"files": [{"name": "a.txt"}]}).json
    submitted = call("POST", f"/datasets/{dataset['id']}/actions/submit", json={}).json
    assert (submitted["state"], submitted["accession"]) == ("submitted", "OMIX000001")

    stale = as_curator("POST", "/datasets/OMIX000001/actions/approve", json={"version": 0})
    approved = as_curator("POST", "/datasets/OMIX000001/actions/approve", json={"version": 1})
    again = as_curator("POST", "/datasets/OMIX000001/actions/approve", json={"version": 1})

    assert (stale.status_code, approved.json["state"], again.status_code) == (409, "approved", 409)
    assert call("POST", "/datasets/OMIX000001/actions/approve", json={}).status_code == 403


def test_others_find_nothing(app, call, stranger):
    dataset = call("POST", "/datasets", json=FIELDS | {"files": [{"name": "a.txt"}]}).json
    upload = call("PUT", "/uploads/open/a.txt", data=b"a").json
    other = Program(app, STRANGER)

    assert other("GET", f"/datasets/{dataset['id']}").status_code == 404
    assert other("PATCH", f"/datasets/{dataset['id']}", json={"title": "X"}).status_code == 404
    assert other("DELETE", f"/uploads/{upload['id']}").status_code == 404
    assert other("GET", "/datasets").json == {"items": [], "next": None}
    assert other("GET", "/events").json["items"] == []


def test_without_a_token_nothing_is_told(app, receiving):
    client = app.test_client(use_cookies=False)

    for method, path in (("GET", "/datasets"), ("PUT", "/uploads/open/a"), ("POST", "/datasets"), ("GET", "/events")):
        answer = client.open(f"/api/v1{path}", method=method)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), path


def test_uploads_are_renamed_and_removed(call):
    upload = call("PUT", "/uploads/open/wrong.txt", data=b"a").json

    renamed = call("PATCH", f"/uploads/{upload['id']}", json={"name": "right.txt"}).json
    removed = call("DELETE", f"/uploads/{upload['id']}")

    assert (renamed["name"], renamed["md5"]) == ("right.txt", upload["md5"])
    assert removed.status_code == 204
    assert call("GET", "/uploads?state=received").json["items"] == []


def test_lists_go_on_behind_their_cursor(call):
    made = [call("POST", "/datasets", json=FIELDS | {"title": f"T{n}"}).json["id"] for n in range(5)]
    seen, path = [], "/datasets?limit=2"
    while path:
        page = call("GET", path).json
        seen += [row["id"] for row in page["items"]]
        path = page["next"] and page["next"].partition("/api/v1")[2]

    assert seen == made[::-1]


def test_events_come_in_order_and_since(call):
    dataset = call("POST", "/datasets", json=FIELDS).json
    call("PATCH", f"/datasets/{dataset['id']}", json={"title": "Other"})

    events = call("GET", "/events").json["items"]
    later = call("GET", f"/events?since={events[0]['id']}").json["items"]

    assert [event["action"] for event in events if event["dataset"]] == ["create", "edit"]
    assert events[-1]["after"] == {"title": "Other"}
    assert later == events[1:]


def test_description_covers_every_call(app):
    document = app.test_client().get("/api/v1/openapi.json").json
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    calls = {
        (rule.rule.count("/"), method.lower())
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"} or rule.methods
    }
    described = {(path.count("/"), method) for path, methods in document["paths"].items() for method in methods}

    assert calls == described
    assert all(operation["summary"] for methods in document["paths"].values() for operation in methods.values())
