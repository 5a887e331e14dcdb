"""A file that is to replace another may bear its name until it is archived."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ALIVE = "state NOT IN ('removed', 'replaced')"


def upgrade() -> None:
    op.add_column("file", sa.Column("replaces_id", sa.Integer(), nullable=True))
    set_ = sa.text("replaces_id IS NOT NULL")
    op.create_index(
        "uq_file_replaces_id", "file", ["replaces_id"], unique=True, sqlite_where=set_, postgresql_where=set_
    )
    _name_index(f"{ALIVE} AND replaces_id IS NULL")


def downgrade() -> None:
    op.drop_index("uq_file_replaces_id", table_name="file")
    _name_index(ALIVE)
    op.drop_column("file", "replaces_id")


def _name_index(where: str) -> None:
    op.drop_index("uq_file_live_name", table_name="file")
    op.create_index(
        "uq_file_live_name",
        "file",
        ["dataset_id", "name"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
