"""Batch reports."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = "kind IN ('accessions', 'metadata', 'files', 'usage', 'usage_protected')"


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("center_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("upto_event", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.Integer(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_report_kind")),
        sa.ForeignKeyConstraint(["center_id"], ["center.id"], name=op.f("fk_report_center_id_center")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_report_center_id", "report", ["center_id", "kind", "day", "full"], unique=True)
    public = sa.text("center_id IS NULL")
    op.create_index(
        "uq_report_public", "report", ["kind", "day", "full"], unique=True, sqlite_where=public, postgresql_where=public
    )
    op.create_index(op.f("ix_report_kind_day"), "report", ["kind", "day"])


def downgrade() -> None:
    op.drop_table("report")
