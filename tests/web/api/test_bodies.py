"""A body against the schema of its call: which of several kinds of object is meant, and what is said of the rest."""

import pytest

from portal import errors
from portal.web.api import bodies
from portal.web.api.schemas.kinds import CHOSEN_BY, TEXT, WHOLE, either, thing


@pytest.fixture
def either_kind(monkeypatch):
    """A body that is one object or another: with `files`, a text; without, a number under `n`."""
    kinds = either(thing({"files": TEXT}, "files") | {CHOSEN_BY: "files"}, thing({"n": WHOLE}))
    monkeypatch.setitem(bodies.SCHEMAS, "Either", kinds)


def codes(body) -> dict[str, str]:
    with pytest.raises(errors.Invalid) as refused:
        bodies.check(body, "Either")
    return {name: message.code for name, message in refused.value.field_messages.items()}


def test_kind_of_object_is_chosen_by_the_member_that_the_schema_names(either_kind):
    bodies.check({"files": "a"}, "Either")
    bodies.check({"n": 1}, "Either")

    assert codes({"files": 1}) == {"files": "member_kind"}
    assert codes({"n": "a"}) == {"n": "member_kind"}
    assert codes({"n": "a", "files": 1}) == {"files": "member_kind"}


def test_body_of_no_kind_is_told_what_to_send(either_kind):
    with pytest.raises(errors.Invalid) as refused:
        bodies.check([], "Either")

    assert refused.value.message.code == "body_kind"
    assert refused.value.sentence == "Send an object as JSON."
