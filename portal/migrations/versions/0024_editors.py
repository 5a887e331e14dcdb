"""People whom the owner of a dataset invited to edit it and to send into it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "editor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("invited_by", sa.Integer(), nullable=False),
        sa.Column("invited_at", sa.Integer(), nullable=False),
        sa.Column("accepted_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_editor_dataset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_editor_account_id")),
        sa.ForeignKeyConstraint(["invited_by"], ["account.id"], name=op.f("fk_editor_invited_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editor")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_editor_dataset_id_email", "editor", ["dataset_id", "email"], unique=True)
    op.create_index("ix_editor_account_id_dataset_id", "editor", ["account_id", "dataset_id"])
    op.create_index("ix_editor_email", "editor", ["email"])


def downgrade() -> None:
    op.drop_table("editor")
