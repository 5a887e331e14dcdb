"""Resumable uploads through the browser."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resumable",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("described", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("upload_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("realm IN ('open', 'protected')", name=op.f("ck_resumable_realm")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_resumable_account_id_account")),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_resumable_dataset_id_dataset"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_resumable_upload_id_upload"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_resumable")),
    )
    op.create_index(op.f("ix_resumable_account_id_realm_name"), "resumable", ["account_id", "realm", "name"])
    op.create_index(op.f("ix_resumable_expires_at"), "resumable", ["expires_at"])


def downgrade() -> None:
    op.drop_table("resumable")
