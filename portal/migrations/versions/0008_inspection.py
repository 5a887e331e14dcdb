"""What an inspection of an upload found."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FAULTY = sa.text("state = 'received' AND error IS NOT NULL")
NEW = sa.text("inspection IS NULL AND state IN ('received', 'checking', 'archived')")


def upgrade() -> None:
    op.add_column("upload", sa.Column("inspection", sa.String(), nullable=True))
    op.add_column("upload", sa.Column("inspected_at", sa.Integer(), nullable=True))
    op.add_column("upload", sa.Column("member_count", sa.Integer(), nullable=True))
    op.create_index("ix_upload_new", "upload", ["id"], sqlite_where=NEW, postgresql_where=NEW)
    op.create_index("ix_upload_faulty", "upload", ["account_id", "error"], sqlite_where=FAULTY, postgresql_where=FAULTY)
    op.create_table(
        "member",
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("file_type", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_member_upload_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("upload_id", "n", name=op.f("pk_member")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("member")
    op.drop_index("ix_upload_faulty", table_name="upload")
    op.drop_index("ix_upload_new", table_name="upload")
    op.drop_column("upload", "member_count")
    op.drop_column("upload", "inspected_at")
    op.drop_column("upload", "inspection")
