"""Pages of tracking by name and by size from an index each, whatever is left out of them."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BESIDE = ["created_at", "file_type"]


def upgrade() -> None:
    op.drop_index(op.f("ix_upload_account_id_size_id"), table_name="upload")
    op.create_index("ix_upload_by_name", "upload", ["account_id", "state", "realm", "name", "id", *BESIDE])
    op.create_index("ix_upload_by_size", "upload", ["account_id", "state", "realm", "size", "id", *BESIDE])


def downgrade() -> None:
    op.drop_index("ix_upload_by_size", table_name="upload")
    op.drop_index("ix_upload_by_name", table_name="upload")
    op.create_index(op.f("ix_upload_account_id_size_id"), "upload", ["account_id", "size", "id"])
