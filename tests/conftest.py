"""What tests stand on: an instance in a folder of its own, a database copied from one made once, people, a browser."""

import functools
import gc
import importlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine, create_engine

from portal import clock, config, create_app, db, migrations, queue
from portal.config import Settings
from portal.domain.accounts import accounts, passwords, tokens
from portal.ingest.heartbeat import heartbeat
from portal.models import Account
from tests import browser, disk, state_guard
from tests.receiving import receiving, send
from tests.snapshots import Snapshots

__all__ = ["receiving", "send"]

PASSWORD = "correct horse battery"
NOON = clock.midnight(date(2026, 11, 20), "UTC") + 12 * clock.HOUR


@dataclass(frozen=True)
class Person:
    """Somebody of the tests. `account` is read anew each time, as a request would."""

    email: str
    name: str
    role: str
    center: str
    password: str = PASSWORD

    @property
    def account(self) -> Account:
        found = accounts.by_email(self.email)
        assert found is not None
        return found

    @property
    def id(self) -> int:
        return self.account.id

    def bearer(self) -> dict[str, str]:
        """The header by which a program of theirs is known."""
        with db.transaction():
            return {"Authorization": f"Bearer {tokens.issue(self.account, 'api')}"}


INES = Person("ines.okafor@example.org", "Ines Okafor", "submitter", "Northmere Institute")
COLLEAGUE = Person("tomas.lind@example.org", "Tomas Lind", "submitter", "Northmere Institute")
STRANGER = Person("mei.tanaka@example.org", "Mei Tanaka", "submitter", "Harbour Lab")
RUTH = Person("ruth.adeyemi@example.org", "Ruth Adeyemi", "curator", "The Archive")
PEOPLE = {"ines": INES, "colleague": COLLEAGUE, "stranger": STRANGER, "ruth": RUTH}


APPS: dict[str, Flask] = {}


class Browser(FlaskClient):
    """A client that says it is a browser, checks each answer it gets, and knows the CSRF token it last saw."""

    token: str | None = None

    def open(self, *args, **kwargs):
        if args and isinstance(args[0], str):
            kwargs["headers"] = {"Accept": "text/html,*/*;q=0.8", **dict(kwargs.get("headers") or {})}
        answer = super().open(*args, **kwargs)
        if not answer.request.path.startswith("/static/"):
            browser.check_headers(answer.mimetype, answer.headers)
        if answer.mimetype == "text/html":
            page = answer.get_data(as_text=True)
            if answer.status_code in (200, 409, 422):
                browser.check(page)
            self.token = browser.token(page) or self.token
            answer.set_data(browser.unwrap(page))
        return answer

    def send(self, address: str, /, *, htmx: bool = False, **fields):
        """Post a form with its token, as a page's button would."""
        if self.token is None:
            self.get("/reset")
        headers = {"HX-Request": "true"} if htmx else {}
        return self.post(address, data={"csrf_token": self.token, **fields}, headers=headers)

    def fragment(self, address: str):
        """Ask for a fragment, as htmx does."""
        return self.get(address, headers={"HX-Request": "true"})

    def sign_in(self, person: Person):
        answer = self.send("/login", email=person.email, password=person.password)
        assert answer.status_code == 303, answer.text
        self.token = None
        return self


# Files that take longest go first, so that no worker ends long after the others (with --no-loadscope-reorder).
LONGEST = (
    "test_supervisor.py",
    "test_access_matrix.py",
    "test_operator.py",
    "test_upload.py",
    "test_access.py",
    "test_worker_killed.py",
    "test_browser.py",
    "test_restore.py",
    "test_door_killed.py",
    "test_main_job.py",
    "test_realms.py",
    "test_reader.py",
    "test_signon.py",
    "test_review.py",
    "test_reports.py",
    "test_form.py",
    "test_metadata.py",
    "test_tracking.py",
    "test_slow_clients.py",
    "test_submit.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_collection_finish() -> None:
    """What collecting made stays till the end: the collector need not walk over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)


@pytest.fixture(scope="session", autouse=True)
def one_statement_cache() -> Iterator[None]:
    """Statements are compiled once in a process and not again for the database of each test, which costs a third of
    the suite: SQLAlchemy keeps them by dialect, so all engines share the first one's."""
    first: dict[str, Engine] = {}

    def sharing(url: str, **options: Any) -> Engine:
        engine = create_engine(url, **options)
        kept = first.setdefault(engine.dialect.name, engine)
        engine.dialect, engine._compiled_cache = kept.dialect, kept._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "create_engine", sharing)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """What a test leaves need not outlast a power cut; tests/disk.py asks whether it would, with the real calls."""
    with disk.unsynced():
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> None:
    passwords.use(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings from outside, and always the same noon (UTC): a test that speaks of today and tomorrow never crosses
    a midnight, and the days that tests name are as far away as on the day they were written."""
    for name in [name for name in os.environ if name.startswith("OMIX_")]:
        monkeypatch.delenv(name)
    clock.reset()
    clock.shift(NOON - clock.now())
    handlers = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers = handlers  # a command that ran here logged to a stream that is closed by now
    clock.reset()


@pytest.fixture
def stop_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the clock show one moment (ms) until it is stopped at another: what holds to the millisecond is asked so."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture(scope="session")
def first_database(tmp_path_factory: pytest.TempPathFactory, cheap_hashing: None, one_statement_cache: None) -> Path:
    """The schema as the migrations make it, and the people; copied for each test."""
    path = tmp_path_factory.mktemp("database") / "portal.db"
    engine = db.configure(f"sqlite:///{path}")
    migrations.upgrade(engine)
    with db.transaction():
        for person in PEOPLE.values():
            accounts.create(
                email=person.email, password=person.password, role=person.role, center=person.center, name=person.name
            )
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        state_guard.install(connection.exec_driver_sql)
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.dispose()
    return path


@functools.cache
def usual_settings() -> Settings:
    """What tests start from: to read the surroundings for a setting of each name takes longer than many a test."""
    return Settings(port=0, ftp_port=0, free_floor_mib=0, site_name="Northmere Data Archive")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh instance. A test that needs others changes the object before it asks for the app."""
    chosen = usual_settings().model_copy(update={"instance": tmp_path / "instance"}, deep=True)
    chosen.prepare()
    config.use(chosen)
    yield chosen
    config.use(None)


@pytest.fixture
def database(settings: Settings, first_database: Path) -> Iterator[None]:
    """A real SQLite file with the people in it; the queue stays in memory."""
    shutil.copy(first_database, settings.instance / "portal.db")
    db.configure(settings.database)
    queue.configure("")
    yield
    db.dispose()
    left = heartbeat.sessions()
    for session in left:
        heartbeat.drop(session)
    assert left == [], "an upload was neither finished nor aborted"


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return Snapshots(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def once(settings: Settings, database: None, snapshots: Snapshots) -> Callable[..., Any]:
    """`once(make)`: the instance as make() leaves it, and what it returns; a copy from the second time on."""
    return functools.partial(snapshots.once, settings)


@pytest.fixture(scope="session")
def compiled(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once while they stay as they are, and not for the app of each test."""
    cache = getattr(pytestconfig, "cache", None)  # none under -p no:cacheprovider
    return FileSystemBytecodeCache(str(cache.mkdir("templates") if cache else tmp_path_factory.mktemp("templates")))


@pytest.fixture
def new_app(settings: Settings, database: None, compiled: FileSystemBytecodeCache) -> Flask:
    """An app of the test's own, to be changed."""
    made = create_app(settings)
    made.jinja_env.bytecode_cache = compiled
    made.config["TESTING"] = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    made.test_client_class = Browser
    queue.configure("")
    return made


@pytest.fixture
def app(settings: Settings, database: None, request: pytest.FixtureRequest) -> Flask:
    """The app of these settings: its routes take a tenth of a second to compile, so tests share it."""
    key = settings.model_dump_json(exclude={"instance"})
    if key not in APPS:
        APPS[key] = request.getfixturevalue("new_app")
    APPS[key].config["SETTINGS"] = settings
    return APPS[key]


@pytest.fixture
def client(app: Flask) -> Browser:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[Person], Browser]:
    """A new browser in which a person has signed in by the real form."""
    return lambda person: app.test_client().sign_in(person)


@pytest.fixture
def ines(database: None) -> Person:
    return INES


@pytest.fixture
def colleague(database: None) -> Person:
    return COLLEAGUE


@pytest.fixture
def stranger(database: None) -> Person:
    return STRANGER


@pytest.fixture
def ruth(database: None) -> Person:
    return RUTH


@pytest.fixture
def run_jobs(database: None) -> Callable[[], None]:
    """Run every job that is due, and those that they owe, with the worker's own code in this thread."""
    worker = importlib.import_module("portal.jobs.worker").Worker(threads=2)
    return worker.drain
