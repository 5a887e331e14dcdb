"""Pages of tracking and sums of an area read from indexes alone; uploads whose owner was told that they will expire."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011a"
branch_labels = None
depends_on = None

HERE = sa.text("state IN ('receiving', 'incomplete', 'received', 'checking', 'failed')")
MAY_EXPIRE = sa.text("state IN ('incomplete', 'received', 'failed')")
FAULTY = sa.text("state IN ('failed', 'error')")


def upgrade() -> None:
    op.create_index(
        op.f("ix_dataset_account_id_state_updated_at_id"), "dataset", ["account_id", "state", "updated_at", "id"]
    )
    op.create_index(
        "ix_file_problem", "file", ["dataset_id", "upload_id"], sqlite_where=FAULTY, postgresql_where=FAULTY
    )
    op.add_column("upload", sa.Column("warned_at", sa.Integer(), nullable=True))
    op.drop_index(op.f("ix_upload_account_id_state_id"), table_name="upload")
    op.drop_index(op.f("ix_upload_received_at"), table_name="upload")
    op.create_index(
        "ix_upload_expiring", "upload", ["state", "received_at"], sqlite_where=MAY_EXPIRE, postgresql_where=MAY_EXPIRE
    )
    op.create_index("ix_upload_tracked", "upload", ["account_id", "state", "realm", "created_at", "id"])
    op.create_index("ix_upload_typed", "upload", ["account_id", "file_type", "state", "realm", "created_at", "id"])
    op.create_index(op.f("ix_upload_account_id_size_id"), "upload", ["account_id", "size", "id"])
    op.create_index(
        "ix_upload_room",
        "upload",
        ["center_id", "realm", "account_id", "size", "state"],
        sqlite_where=HERE,
        postgresql_where=HERE,
    )


def downgrade() -> None:
    op.drop_index("ix_upload_room", table_name="upload")
    op.drop_index(op.f("ix_upload_account_id_size_id"), table_name="upload")
    op.drop_index("ix_upload_typed", table_name="upload")
    op.drop_index("ix_upload_tracked", table_name="upload")
    op.create_index(op.f("ix_upload_account_id_state_id"), "upload", ["account_id", "state", "id"])
    op.drop_index("ix_upload_expiring", table_name="upload")
    op.create_index(op.f("ix_upload_received_at"), "upload", ["received_at"])
    op.drop_column("upload", "warned_at")
    op.drop_index("ix_file_problem", table_name="file")
    op.drop_index(op.f("ix_dataset_account_id_state_updated_at_id"), table_name="dataset")
