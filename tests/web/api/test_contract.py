"""What the documents promise of the API, held to the letter: refusals name what was sent, and nothing is a fault of
ours that a caller can cause."""

import pytest

from portal import db
from portal.domain import history
from portal.models import Event
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
        "files.0.md5"}  # fmt: skip
