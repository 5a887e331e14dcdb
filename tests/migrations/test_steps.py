"""The steps of the schema: they meet the models, go up from nothing and down again, and guard the history."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

from portal import clock, db, migrations
from portal.migrations.steps import settings_of as alembic_settings
from portal.models import Account, Center, Dataset, Event, Token


@pytest.fixture
def engine(tmp_path):
    yield db.configure(f"sqlite:///{tmp_path / 'portal.db'}")
    db.dispose()


def steps() -> list[str]:
    scripts = ScriptDirectory.from_config(alembic_settings())
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def differences(engine) -> list:
    """What the models lack or the steps; the indexes of letters are SQLite's own and have no model."""
    known = lambda name, kind, _above: kind != "table" or "_text" not in name  # noqa: E731
    opts = {"compare_type": True, "include_name": known}
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=opts), db.Base.metadata)


def test_head_equals_the_models(engine):
    migrations.upgrade(engine)
    assert differences(engine) == []
    assert migrations.current(engine) == migrations.head() == steps()[-1]
    assert migrations.step_names() == steps()


def test_every_step_goes_up_and_down(engine):
    down = ["base", *steps()]
    for before, step in zip(down, steps(), strict=False):
        migrations.upgrade(engine, step)
        migrations.downgrade(engine, before)
        assert migrations.current(engine) == (None if before == "base" else before)
        migrations.upgrade(engine, step)
    assert differences(engine) == []
    migrations.downgrade(engine, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_upgrade_twice_changes_nothing(engine):
    migrations.upgrade(engine)
    with db.transaction() as session:
        session.add(Center(name="Institute of Peat", created_at=clock.now()))
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM center")).scalars().all() == ["Institute of Peat"]


def test_foreign_keys_hold_after_an_upgrade(engine):
    migrations.upgrade(engine)
    with pytest.raises(DatabaseError, match="FOREIGN KEY"), db.transaction() as session:
        session.add(Token(account_id=7, kind="api", hash="0" * 64, created_at=clock.now()))


@pytest.mark.parametrize("statement", ["UPDATE event SET note = 'x'", "DELETE FROM event"])
def test_history_refuses_a_change(engine, statement):
    migrations.upgrade(engine)
    with db.transaction() as session:
        session.add(Event(at=clock.now(), action="signed in"))
    with pytest.raises(DatabaseError, match="only ever added to"), db.transaction() as session:
        session.execute(text(statement))


def test_states_outside_the_table_are_refused(engine):
    migrations.upgrade(engine)
    with pytest.raises(DatabaseError, match="CHECK"), db.transaction() as session:
        center = Center(name="Institute of Peat", created_at=clock.now())
        session.add(center)
        session.flush()
        session.add(
            Account(
                email="ines@example.org",
                name="Ines Okafor",
                center_id=center.id,
                state="asleep",
                created_at=clock.now(),
            )
        )


def test_check_refuses_an_empty_database(engine):
    with pytest.raises(migrations.OldSchema, match="omix migrate"):
        migrations.check(engine)


def test_check_refuses_a_step_it_does_not_know(engine):
    migrations.upgrade(engine)
    migrations.check(engine)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrations.OldSchema, match="older program"):
        migrations.check(engine)


def test_released_records_get_the_name_of_who_owned_them_at_their_release(engine):
    migrations.upgrade(engine)
    with db.transaction() as session:
        center = Center(name="Institute of Peat", created_at=1)
        ines, mei = (
            Account(name=name, email=f"{name}@example.org", center=center, created_at=1) for name in ("Ines", "Mei")
        )
        rows = [
            Dataset(account=mei, center=center, released_at=at, state="approved", created_at=1, updated_at=1)
            for at in (10, 10, None)
        ]
        session.add_all([ines, *rows])
        session.flush()
        for row, at in zip(rows, (20, 5, 20), strict=True):
            before = {"submitter": ines.email}
            session.add(Event(at=at, action="hand_over", dataset_id=row.id, before=before))
    migrations.downgrade(engine, "0020")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        names = connection.execute(text("SELECT recorded_submitter FROM dataset ORDER BY id")).scalars().all()
    assert names == ["Ines", "Mei", None], "handed over after the release, before it, and not released"
