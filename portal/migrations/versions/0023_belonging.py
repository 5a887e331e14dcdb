"""Bytes belong to a dataset by a column and not by their name: a name is borne once in the drop box, whatever datasets
have. What a file claims already is its dataset's from now on; nothing moves on disk."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NAMED = "state IN ('received', 'checking', 'failed')"
CUT = "state = 'incomplete'"
BOX = "dataset_id IS NULL AND"
PLACE = ["account_id", "area", "realm", "name"]
# A column, not a table made anew: dropping a table that has children would empty them.
COLUMN = """ALTER TABLE upload ADD COLUMN dataset_id INTEGER
CONSTRAINT fk_upload_dataset_id REFERENCES dataset (id)"""
CLAIMED = """
    UPDATE upload SET
        dataset_id = (SELECT file.dataset_id FROM file WHERE file.upload_id = upload.id),
        taken_at = coalesce(received_at, created_at)
    WHERE id IN (SELECT upload_id FROM file WHERE upload_id IS NOT NULL)
"""
TWICE = f"SELECT name FROM upload WHERE {NAMED} GROUP BY account_id, area, realm, name HAVING count(*) > 1 LIMIT 1"


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.execute(COLUMN)
    op.add_column("upload", sa.Column("taken_at", sa.Integer(), nullable=True))
    op.execute(CLAIMED)
    op.drop_index("uq_upload_live_name", "upload")
    op.drop_index("uq_upload_incomplete_name", "upload")
    _index("uq_upload_live_name", "upload", PLACE, f"{BOX} {NAMED}", unique=True)
    _index("uq_upload_incomplete_name", "upload", PLACE, f"{BOX} {CUT}", unique=True)
    _index("uq_upload_incomplete_of_dataset", "upload", ["dataset_id", "name"], CUT, unique=True)
    _index("ix_upload_of_dataset", "upload", ["dataset_id", "name"], "dataset_id IS NOT NULL")
    op.drop_index("ix_file_waiting_base", "file")
    _index("ix_file_wanting_base", "file", ["base"], "state IN ('waiting', 'failed', 'error')")
    op.create_table(
        "dataset_folder",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("made_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_dataset_folder_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", "path", name=op.f("pk_dataset_folder")),
    )


def downgrade() -> None:
    twice = op.get_bind().execute(sa.text(TWICE)).scalar()
    if twice is not None:
        raise RuntimeError(f"Two uploads of one account are called {twice}; before this step each name is borne once.")
    op.drop_table("dataset_folder")
    op.drop_index("ix_file_wanting_base", "file")
    _index("ix_file_waiting_base", "file", ["base"], "state = 'waiting'")
    for name in (
        "ix_upload_of_dataset",
        "uq_upload_incomplete_of_dataset",
        "uq_upload_incomplete_name",
        "uq_upload_live_name",
    ):
        op.drop_index(name, "upload")
    op.drop_column("upload", "taken_at")
    op.drop_column("upload", "dataset_id")
    _index("uq_upload_live_name", "upload", PLACE, NAMED, unique=True)
    _index("uq_upload_incomplete_name", "upload", PLACE, CUT, unique=True)
