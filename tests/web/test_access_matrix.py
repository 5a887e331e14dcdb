"""Every route, for every kind of person, in every state that matters: who gets what. A route without a row fails.

An area's rows stand in tests/web/matrix/<area>.py: ROWS, and stage(state) that makes what they need.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal import db
from portal.domain.accounts import accounts, tokens
from portal.models import Dataset, Editor
from tests.conftest import PEOPLE
from tests.snapshots import keep, put_back
from tests.web import promised
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


def states(reading: bool) -> list:
    """Each state of each table, with the rows that ask of it."""
    found: dict[tuple[str, str], list[Row]] = {}
    for table in TABLES:
        for row in table.ROWS:
            if (row.method in READING) == reading:
                found.setdefault((table.__name__, row.state), []).append(row)
    return [
        pytest.param(sys.modules[name], rows, id=f"{name.rpartition('.')[2]} {state}".strip())
        for (name, state), rows in found.items()
    ]


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


@dataclass
class Visitor:
    """Somebody signed in by the real form: the cookie, the token of the forms, and the headers of a program."""

    cookie: str
    form: str
    program: dict[str, str]

    def ask(self, app, row: Row, names) -> int:
        """As a new browser, or program, of this person; the status it gets."""
        client, headers, body = app.test_client(), dict(self.program), {}
        if not row.bearer:
            client.set_cookie("omix", self.cookie)
            headers = {"X-CSRFToken": self.form}
        if row.json is not None:
            body = {"json": filled(row.json, names)}
        elif row.method not in READING:
            body = {"data": row.raw or filled(row.data, names)}
        path = filled(row.path, names)
        answer = client.open(path, method=row.method, headers=headers, buffered=True, **body)
        if row.endpoint.startswith("api."):
            promised.check(app, row.method, path, answer)
        return answer.status_code


def arrive(app, who: str) -> Visitor:
    client = app.test_client()
    if who != "anonymous":
        client.sign_in(PEOPLE[who])
    client.get("/register")
    return Visitor(client.get_cookie("omix").value, client.token, {} if who == "anonymous" else bearer(who))


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> tuple[Path, dict[str, Visitor]]:
    """Everybody, and the instance in which they are signed in: once for all cells."""
    return tmp_path_factory.mktemp("known") / "instance", {}


@pytest.fixture
def visitors(app, settings, known) -> dict[str, Visitor]:
    copy, found = known
    if found:
        put_back(settings, copy)
    else:
        found |= {who: arrive(app, who) for who in ANYONE}
        keep(settings, copy)
    return found


def wrong(row: Row, found: dict[str, int]) -> list[str]:
    """The cells that got another status, each with its name."""
    return [
        f"{row.label}: {who} got {status}, not {row.expect[who]}"
        for who, status in found.items()
        if status != row.expect[who]
    ]


def stage(table, state: str):
    return table.stage(state) if hasattr(table, "stage") else {}


@pytest.mark.parametrize(("table", "rows"), states(reading=True))
def test_routes_show_each_person(app, visitors, table, rows: list[Row]):
    """What only reads is asked by all of the same state."""
    names, faults = stage(table, rows[0].state), []
    for row in rows:
        faults += wrong(row, {who: visitors[who].ask(app, row, names) for who in ANYONE})
    assert faults == []


@pytest.mark.parametrize(("table", "rows"), states(reading=False))
def test_routes_answer_each_person(app, visitors, settings, tmp_path, table, rows: list[Row]):
    """The state is made once, and put back before each row and before each person who may change it."""
    names, faults = stage(table, rows[0].state), []
    keep(settings, tmp_path / "staged")
    for row in rows:
        for people in groups(row):
            put_back(settings, tmp_path / "staged")
            faults += wrong(row, {who: visitors[who].ask(app, row, names) for who in people})
    assert faults == []


# What stays the owner's, by endpoint: the life cycle, who edits, and what lets others in: links and publications.
OWNERS = {
    *("api.act", "api.invite", "datasets.act", "datasets.confirm_page", "datasets.invite"),
    *("datasets.links_page", "datasets.link_page", "datasets.make_link", "datasets.revoke_link"),
    *("api.make_link", "api.list_links", "api.revoke_link"),
    *("datasets.add_publication", "datasets.remove_publication", "api.add_publication", "api.remove_publication"),
}
SHARED_TABLES = (".datasets", ".api", ".share_page", ".tracking")


def shared_rows() -> list:
    """The rows about the one dataset that a table stages, by table and state."""
    found: dict[tuple[str, str], list[Row]] = {}
    for table in TABLES:
        for row in table.ROWS:
            if table.__name__.endswith(SHARED_TABLES) and ("{ref}" in row.path or "{id}" in row.path):
                found.setdefault((table.__name__, row.state), []).append(row)
    return [
        pytest.param(sys.modules[name], state, rows, id=f"{name.rpartition('.')[2]} {state}".strip())
        for (name, state), rows in found.items()
    ]


@pytest.mark.parametrize(("table", "state", "rows"), shared_rows())
def test_co_submitter_gets_what_the_owner_gets_but_for_the_acts_of_the_owner(
    app, visitors, settings, tmp_path, table, state, rows: list[Row]
):
    names, faults = stage(table, state), []
    with db.transaction():
        dataset, colleague = db.session.query(Dataset).one(), PEOPLE["colleague"].account
        db.session.add(
            Editor(
                id=7,
                dataset_id=dataset.id,
                email=colleague.email,
                account_id=colleague.id,
                invited_by=dataset.account_id,
                invited_at=1,
                accepted_at=1,
            )
        )
    keep(settings, tmp_path / "staged")
    for row in rows:
        put_back(settings, tmp_path / "staged")
        status = visitors["colleague"].ask(app, row, names)
        is_right = status >= 400 if row.endpoint in OWNERS else status == row.expect["ines"]
        if not is_right:
            faults.append(f"{row.endpoint} {row.label}: {status}")
    assert faults == []


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
