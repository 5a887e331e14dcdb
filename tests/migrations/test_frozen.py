"""Databases of earlier releases, frozen as SQL (freeze.py): each later step of the schema is taken on them too. No row
is lost, and the dataset that was due on the day after opens on that day."""

import contextlib
import re
import shutil
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from portal import clock, db, migrations, queue, states
from portal.domain.shared import trusted_clock
from portal.jobs import periodic_tasks
from tests import depositing as deposit
from tests.migrations import freeze

RELEASES = sorted(path.stem for path in freeze.FROZEN.glob("*.sql"))
# What a later step changes on purpose: what it says anew, as (table, column), and tables, indexes and triggers that it
# drops. And where the step itself stands.
SAID_ANEW: set[tuple[str, str]] = set()
# Waiting and red files are found by one index since bytes belong to datasets.
DROPPED = {"ix_file_waiting_base"}
STANDING = "alembic_version"
GUARD = re.compile(rf"({'|'.join(machine.name for machine in states.MACHINES)}) (update|insert|delete)")


@dataclass(frozen=True)
class Due:
    """The dataset that was to open on the day after, as the frozen database says it."""

    id: int
    accession: str
    day: date
    files: dict[str, str]


@pytest.fixture(params=RELEASES)
def release(request) -> str:
    return request.param


@pytest.fixture
def before(release, tmp_path):
    """The database as it was frozen."""
    freeze.load(freeze.FROZEN / f"{release}.sql", tmp_path / "frozen.db")
    with contextlib.closing(freeze.connect(tmp_path / "frozen.db")) as base:
        yield base


@pytest.fixture
def database(settings, release):
    """The same in the place of the database of other tests, brought to this program's schema, and the bag beside it."""
    freeze.load(freeze.FROZEN / f"{release}.sql", settings.instance / "portal.db")
    shutil.copytree(freeze.FROZEN / release, settings.instance, dirs_exist_ok=True)
    migrations.upgrade(db.configure(settings.database))
    queue.configure("")
    yield
    db.dispose()


@pytest.fixture
def after(database, settings):
    """The database as the upgrade left it."""
    with contextlib.closing(freeze.connect(settings.instance / "portal.db")) as base:
        yield base


@pytest.fixture
def due(before) -> Due:
    said = before.execute("SELECT id, accession, release_date FROM dataset WHERE title = ?", (freeze.DUE,)).fetchone()
    files = before.execute("SELECT name, archive_path FROM file WHERE dataset_id = ? AND state = 'archived'", said[:1])
    return Due(said[0], said[1], date.fromisoformat(said[2]), dict(files.fetchall()))


def rows(base, table: str, key: list[str], columns: list[str]) -> dict[tuple, tuple]:
    """What the columns of a table say, by its key."""
    chosen = ", ".join(f'"{name}"' for name in (*key, *columns))
    return {row[: len(key)]: row[len(key) :] for row in base.execute(f"SELECT {chosen} FROM {table}")}


def schema(base) -> dict[str, list[str]]:
    """How each thing was made, by name. The parts of a table stand in any order once it is built anew."""
    said = base.execute("SELECT name, coalesce(sql, '') FROM sqlite_master")
    return {name: sorted(line.strip(" \t,") for line in sql.splitlines()) for name, sql in said}


def test_frozen_database_is_sql_of_itself_and_no_table_is_empty(before, release, tmp_path):
    assert freeze.dump(tmp_path / "frozen.db") == freeze.read(freeze.FROZEN / f"{release}.sql")
    empty = {name for name in freeze.tables_of(before) if before.execute(f"SELECT 1 FROM {name}").fetchone() is None}
    assert empty == set()


def test_upgrade_is_sound_and_at_the_newest_step(database):
    migrations.check(db.engine())
    assert db.check_integrity() == []


def test_upgrade_makes_what_a_new_database_has(after, first_database):
    with contextlib.closing(freeze.connect(first_database)) as fresh:
        guards = {name for name in schema(fresh) if GUARD.fullmatch(name)}  # what tests/state_guard.py adds
        assert schema(after) == {name: lines for name, lines in schema(fresh).items() if name not in guards}


def test_upgrade_drops_nothing(before, after):
    """A trigger is gone with a table that is built anew, and nobody is told."""
    assert schema(before).keys() - schema(after).keys() - DROPPED == set()


def test_upgrade_loses_no_row_and_changes_none(before, after):
    lost, changed = set(), set()
    for table in freeze.tables_of(before).keys() - {STANDING}:
        key, now = freeze.key_of(before, table), freeze.columns_of(after, table)
        columns = [name for name in freeze.columns_of(before, table) if name in now]
        old, new = (rows(base, table, key, columns) for base in (before, after))
        lost |= {(table, one) for one in old.keys() - new.keys()}
        for one in old.keys() & new.keys():
            changed |= {(table, columns[n]) for n, value in enumerate(old[one]) if value != new[one][n]}
    assert lost == set()
    assert changed - SAID_ANEW == set()


def test_uploads_belong_to_the_datasets_whose_files_have_them(before, after):
    """The ties of before, and nothing else: what no file has lies in a drop box, and no bytes move."""
    tied = "SELECT upload_id, dataset_id FROM file WHERE upload_id IS NOT NULL ORDER BY upload_id"
    given = "SELECT id, dataset_id FROM upload WHERE dataset_id IS NOT NULL ORDER BY id"
    assert after.execute(given).fetchall() == before.execute(tied).fetchall() != []
    untold = "SELECT count(*) FROM upload WHERE (dataset_id IS NULL) != (taken_at IS NULL)"
    assert after.execute(untold).fetchone() == (0,)
    assert after.execute("PRAGMA foreign_key_check").fetchall() == []


def test_upgrade_gives_no_number_again(before, after):
    """A table that is built anew must know the numbers of rows that are gone."""
    was, now = (dict(base.execute("SELECT name, seq FROM sqlite_sequence")) for base in (before, after))
    assert {name: seq for name, seq in was.items() if now.get(name, 0) < seq} == {}


def test_indexes_of_letters_find_what_they_found(before, after):
    for index in freeze.letters_of(before):
        query = f"SELECT rowid FROM {index} WHERE {index} MATCH '\"marsh\"' ORDER BY rowid"
        found = before.execute(query).fetchall()
        assert after.execute(query).fetchall() == found != [], index


def go_to(moment: int) -> None:
    clock.shift(moment - clock.now())


def turn(run_jobs, monkeypatch) -> None:
    """What a worker does that starts now: it believes its clock, looks what is due, and works until nothing is."""
    monkeypatch.setattr(trusted_clock, "_awake", None)
    with db.transaction():
        trusted_clock.check()
        periodic_tasks.enqueue_releases()
    run_jobs()


def test_frozen_dataset_is_due_on_the_day_after(before, due, settings):
    (newest,) = before.execute("SELECT max(at) FROM event").fetchone()
    assert due.day == clock.day_of(newest, settings.timezone) + timedelta(days=1)


@pytest.mark.parametrize("late", [0, 8 * clock.DAY], ids=["at midnight", "once the box is on again"])
def test_dataset_that_was_due_on_the_day_after_opens(due, settings, run_jobs, monkeypatch, client, late):
    begins = clock.midnight(due.day, settings.timezone)
    go_to(begins - 5_000)
    turn(run_jobs, monkeypatch)
    assert deposit.get(due.id).state == "approved"

    go_to(begins + late)
    turn(run_jobs, monkeypatch)
    assert deposit.get(due.id).state == "released"
    assert deposit.is_valid_bag(deposit.bag_of(due.id))
    for name, path in due.files.items():
        with client.get(f"/datasets/{due.accession}/files/{name}") as answer:
            assert answer.status_code == 200 and answer.data == (deposit.bag_of(due.id) / path).read_bytes()
