"""Taking the steps, by Alembic, which no process needs that stays."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

FOLDER = Path(__file__).resolve().parent


def settings_of(connection: Connection | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, to: str = "head") -> None:
    """Take the missing steps, all in one transaction, while no other process writes."""
    _step(engine, command.upgrade, to)


def downgrade(engine: Engine, to: str) -> None:
    _step(engine, command.downgrade, to)


def _step(engine: Engine, verb: Callable[..., None], to: str) -> None:
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
