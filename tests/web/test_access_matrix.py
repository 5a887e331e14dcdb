"""Every route, for every kind of person, in every state that matters: who gets what. A route without a row fails.

An area's rows stand in tests/web/matrix/<area>.py: ROWS, and stage(state) that makes what they need.
"""

import importlib
from pathlib import Path

import pytest

from portal import db
from portal.domain import accounts, tokens
from tests.conftest import PEOPLE
from tests.web.matrix.rows import ANYONE, Row

TABLES = [
    importlib.import_module(f"tests.web.matrix.{path.stem}")
    for path in sorted((Path(__file__).parent / "matrix").glob("*.py"))
    if path.stem not in ("rows", "__init__")
]
READING = ("GET", "HEAD")


def groups(row: Row) -> list[list[str]]:
    """Whoever is refused changes nothing: they ask one after another, and then the first who is not. Each of the others
    asks of a state of its own."""
    told = row.expect["anonymous"] == 303 and set(row.expect.values()) != {303}
    refused = [who for who in ANYONE if row.expect[who] >= 400 or (who == "anonymous" and told)]
    allowed = [who for who in ANYONE if who not in refused]
    return [refused + allowed[:1], *([who] for who in allowed[1:])]


# What only reads is asked by all of the same state.
CHANGES = [
    pytest.param(table, row, people, id=f"{row.label}-{people[-1]}")
    for table in TABLES
    for row in table.ROWS
    if row.method not in READING
    for people in groups(row)
]
READS = [pytest.param(table, row, id=row.label) for table in TABLES for row in table.ROWS if row.method in READING]


def filled(value, names):
    """Put the staged {names} into a path or body."""
    if isinstance(value, str):
        return value.format_map(names) if "{" in value else value
    if isinstance(value, dict):
        return {key: filled(part, names) for key, part in value.items()}
    return [filled(part, names) for part in value] if isinstance(value, list) else value


def bearer(person: str) -> dict[str, str]:
    with db.transaction():
        account = accounts.by_email(PEOPLE[person].email)
        assert account is not None
        return {"Authorization": f"Bearer {tokens.issue(account, 'api')}"}


def ask(client, row: Row, person: str, names) -> int:
    headers: dict[str, str] = {}
    if person != "anonymous":
        if row.bearer:
            headers = bearer(person)
        else:
            client.sign_in(PEOPLE[person])
    if row.method != "GET" and not row.bearer:
        client.get("/register")
        headers["X-CSRFToken"] = client.token or ""
    body = {"json": filled(row.json, names)} if row.json is not None else {"data": row.raw or filled(row.data, names)}
    if row.method in READING:
        body = {}
    return client.open(filled(row.path, names), method=row.method, headers=headers, buffered=True, **body).status_code


@pytest.mark.parametrize(("table", "row"), READS)
def test_route_shows_each_person(app, table, row: Row):
    names = table.stage(row.state) if hasattr(table, "stage") else {}
    assert {person: ask(app.test_client(), row, person, names) for person in ANYONE} == row.expect


@pytest.mark.parametrize(("table", "row", "people"), CHANGES)
def test_route_answers_each_person(app, table, row: Row, people: list[str]):
    names = table.stage(row.state) if hasattr(table, "stage") else {}
    found = {person: ask(app.test_client(), row, person, names) for person in people}
    assert found == {person: row.expect[person] for person in people}


def test_every_route_has_a_row(app):
    known = {(row.endpoint, row.method) for table in TABLES for row in table.ROWS}
    asked = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert sorted(asked - known) == []
    assert sorted(known - asked) == []


def test_every_row_names_everybody():
    assert [row.label for table in TABLES for row in table.ROWS if set(row.expect) != set(ANYONE)] == []


def test_unsafe_routes_refuse_a_session_without_the_token(app, client, ruth):
    """Whatever the route does, another site's form does not make it do it."""
    client.sign_in(ruth)
    open_to_forgery = []
    for table in TABLES:
        for row in table.ROWS:
            if row.method == "GET" or row.bearer:
                continue
            path = filled(row.path, Numbers())
            if client.open(path, method=row.method, data=row.raw or b"").status_code not in (400, 404):
                open_to_forgery.append(row.label)
    assert open_to_forgery == []


class Numbers(dict):
    def __missing__(self, _name: str) -> str:
        return "1"
