"""The steps of the schema, by Alembic. Only `omix up` and `omix migrate` take them; the others check and refuse."""

from pathlib import Path

from sqlalchemy import Column, Engine, MetaData, String, Table, inspect, select

from portal import errors
from portal.messages import say

VERSIONS = Path(__file__).resolve().parent / "versions"
# Alembic's own table.
_STANDING = Table("alembic_version", MetaData(), Column("version_num", String(32)))


class OldSchema(errors.DomainError):
    """The database is not at the step that this program knows."""

    status, title, code = 503, "The database has another schema than this program", "schema"


def step_names() -> list[str]:
    """Every step in its order. A step is called as its file begins."""
    return sorted(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def head() -> str:
    """The newest step."""
    return step_names()[-1]


def current(engine: Engine) -> str | None:
    """The step a database stands at; None when it is empty."""
    with engine.connect() as connection:
        has_steps = inspect(connection).has_table(_STANDING.name)
        return connection.scalar(select(_STANDING.c.version_num)) if has_steps else None


def upgrade(engine: Engine, to: str = "head") -> None:
    """Take the missing steps, all in one transaction, while no other process writes."""
    from portal.migrations import steps  # noqa: PLC0415 - Alembic is loaded only where steps are taken

    steps.upgrade(engine, to)


def downgrade(engine: Engine, to: str) -> None:
    from portal.migrations import steps  # noqa: PLC0415

    steps.downgrade(engine, to)


def check(engine: Engine) -> None:
    """Raises OldSchema, with what to do, when the database is not at the newest step."""
    step, newest = current(engine), head()
    if step == newest:
        return
    if step is None:
        raise OldSchema(
            say("schema_empty", "The database is empty. Run `omix up`, or `omix migrate` before this command.")
        )
    if step not in step_names():
        raise OldSchema(
            say(
                "schema_newer",
                "The database stands at step {step}, which this older program does not know. Install the newer one.",
                step=step,
            )
        )
    raise OldSchema(
        say(
            "schema_older",
            "The database stands at step {step}, this program needs {needed}. Run `omix up` or `omix migrate`.",
            step=step,
            needed=newest,
        )
    )
