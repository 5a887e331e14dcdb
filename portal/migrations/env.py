"""Alembic's entry: runs the steps on the connection that portal.migrations hands over."""

from alembic import context

from portal import db, models

assert models.Event.metadata is db.Base.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
