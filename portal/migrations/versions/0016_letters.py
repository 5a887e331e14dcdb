"""Indexes of every three letters of the names of uploads, files and components, each word with whose it is. New rows
are taken in by the worker a while after they came, so that receiving costs no more; `text_mark` tells how far it got.
SQLite's own kind; elsewhere it is the database's."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# table: (whose a row is, what it is found by, the columns that this is made of)
WORDS = {
    "upload": ("account_id", "{0}name", ("name",)),
    "file": ("dataset_id", "{0}name || ' ' || {0}title", ("name", "title")),
    "component": ("dataset_id", "{0}alias || ' ' || {0}title", ("alias", "title")),
}


def owner(column: str) -> str:
    """A number as three letters of the private use area, which is one entry of the index."""
    return f"char(57344 + {column} % 6400, 57344 + {column} / 6400 % 6400, 57344 + {column} / 40960000)"


def upgrade() -> None:
    op.create_table(
        "text_mark",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("upto", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_text_mark")),
    )
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, (whose, words, columns) in WORDS.items():
        index, old, new = f"{table}_text", "old.", "new."
        op.execute(
            f"CREATE VIEW {table}_words AS SELECT id, {owner(whose)} AS owner, {words.format('')} AS text FROM {table}"
        )
        op.execute(
            f"CREATE VIRTUAL TABLE {index} USING fts5 (owner, text, content='{table}_words', "
            "content_rowid='id', tokenize='trigram', columnsize=0)"
        )
        op.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
        op.execute(f"INSERT INTO text_mark SELECT '{index}', coalesce(max(id), 0) FROM {table}")
        gone = (
            f"INSERT INTO {index} ({index}, rowid, owner, text) "
            f"VALUES ('delete', old.id, {owner(old + whose)}, {words.format(old)});"
        )
        here = f"INSERT INTO {index} (rowid, owner, text) VALUES (new.id, {owner(new + whose)}, {words.format(new)});"
        known = f"old.id <= (SELECT upto FROM text_mark WHERE name = '{index}')"
        changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in (*columns, whose))
        op.execute(f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} WHEN {known} BEGIN {gone} END")
        op.execute(
            f"CREATE TRIGGER {index}_update AFTER UPDATE OF {', '.join((*columns, whose))} ON {table} "
            f"WHEN ({changed}) AND {known} BEGIN {gone} {here} END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in WORDS:
            op.execute(f"DROP TRIGGER {table}_text_delete")
            op.execute(f"DROP TRIGGER {table}_text_update")
            op.execute(f"DROP TABLE {table}_text")
            op.execute(f"DROP VIEW {table}_words")
    op.drop_table("text_mark")
