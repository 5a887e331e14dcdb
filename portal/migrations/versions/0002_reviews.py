"""Remarks on a dataset, and what a curator last saw."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("answers_id", sa.Integer(), nullable=True),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("done_at", sa.Integer(), nullable=True),
        sa.Column("done_by", sa.Integer(), nullable=True),
        sa.Column("mailed_at", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "section IN ('whole', 'info', 'bioproject', 'release', 'files', 'filing')", name=op.f("ck_remark_section")
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_remark_dataset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_remark_account_id")),
        sa.ForeignKeyConstraint(["answers_id"], ["remark.id"], name=op.f("fk_remark_answers_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_remark_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["done_by"], ["account.id"], name=op.f("fk_remark_done_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_remark_dataset_id_id"), "remark", ["dataset_id", "id"], unique=False)
    op.create_table(
        "look",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("since_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("told_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_look_account_id")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_look_dataset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "dataset_id", name=op.f("pk_look")),
    )
    op.create_index(op.f("ix_look_dataset_id"), "look", ["dataset_id"], unique=False)


def downgrade() -> None:
    op.drop_table("look")
    op.drop_table("remark")
