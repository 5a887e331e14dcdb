"""The steps of the schema, by Alembic. Only `omix up` and `omix migrate` take them; the others check and refuse."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from portal import errors

FOLDER = Path(__file__).resolve().parent


class OldSchema(errors.DomainError):
    """The database is not at the step that this program knows."""

    status, title, code = 503, "The database has another schema than this program", "schema"


def settings_of(connection: Connection | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest step."""
    return str(ScriptDirectory.from_config(settings_of()).get_current_head())


def current(engine: Engine) -> str | None:
    """The step a database stands at; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, to: str = "head") -> None:
    """Take the missing steps, all in one transaction, while no other process writes."""
    _step(engine, command.upgrade, to)


def downgrade(engine: Engine, to: str) -> None:
    _step(engine, command.downgrade, to)


def check(engine: Engine) -> None:
    """Raises OldSchema, with what to do, when the database is not at the newest step."""
    found, wanted = current(engine), head()
    if found == wanted:
        return
    if found is None:
        raise OldSchema("The database is empty. Run `omix up`, or `omix migrate` before this command.")
    known = {script.revision for script in ScriptDirectory.from_config(settings_of()).walk_revisions()}
    if found not in known:
        raise OldSchema(
            f"The database stands at step {found}, which this older program does not know. Install the newer one."
        )
    raise OldSchema(
        f"The database stands at step {found}, this program needs {wanted}. Run `omix up` or `omix migrate`."
    )


def _step(engine: Engine, verb, to: str) -> None:
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:  # a table that is built anew must not take the rows that point at it along
            _pragma(connection, "foreign_keys=OFF")
        try:
            with connection.execution_options(write=True).begin():
                verb(settings_of(connection), to)
        finally:
            if sqlite:
                _pragma(connection, "foreign_keys=ON")


def _pragma(connection: Connection, words: str) -> None:
    """Said on the bare connection, since SQLite ignores it inside a transaction."""
    connection.connection.dbapi_connection.execute(f"PRAGMA {words}")  # type: ignore[union-attr]
