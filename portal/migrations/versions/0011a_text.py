"""An index of every three letters of what datasets are found by. SQLite's own kind; elsewhere it is the database's."""

from alembic import op

revision = "0011a"
down_revision = "0011"
branch_labels = None
depends_on = None

GONE = "INSERT INTO dataset_text (dataset_text, rowid, search_text) VALUES ('delete', old.id, old.search_text);"
HERE = "INSERT INTO dataset_text (rowid, search_text) VALUES (new.id, new.search_text);"


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute(
        "CREATE VIRTUAL TABLE dataset_text USING fts5"
        "(search_text, content='dataset', content_rowid='id', tokenize='trigram', columnsize=0)"
    )
    op.execute("INSERT INTO dataset_text (dataset_text) VALUES ('rebuild')")
    op.execute(f"CREATE TRIGGER dataset_text_insert AFTER INSERT ON dataset BEGIN {HERE} END")
    op.execute(f"CREATE TRIGGER dataset_text_delete AFTER DELETE ON dataset BEGIN {GONE} END")
    op.execute(f"CREATE TRIGGER dataset_text_update AFTER UPDATE OF search_text ON dataset BEGIN {GONE} {HERE} END")


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for when in ("insert", "delete", "update"):
        op.execute(f"DROP TRIGGER dataset_text_{when}")
    op.execute("DROP TABLE dataset_text")
