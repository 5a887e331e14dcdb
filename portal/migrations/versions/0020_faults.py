"""The files whose fault is their own are told from those whose upload failed, without looking at the uploads."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

FAULTY = sa.text("state IN ('failed', 'error')")


def upgrade() -> None:
    op.drop_index("ix_file_problem", table_name="file")
    op.create_index(
        "ix_file_problem", "file", ["dataset_id", "error", "upload_id"], sqlite_where=FAULTY, postgresql_where=FAULTY
    )


def downgrade() -> None:
    op.drop_index("ix_file_problem", table_name="file")
    op.create_index(
        "ix_file_problem", "file", ["dataset_id", "upload_id"], sqlite_where=FAULTY, postgresql_where=FAULTY
    )
