"""Sharing links and publications."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("anonymised", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=True),
        sa.Column("revoked_at", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_link_dataset_id_dataset")),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_link_made_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_link_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_link_dataset_id_n"), "link", ["dataset_id", "n"], unique=True)
    op.create_table(
        "link_view",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_view_link_id_link")),
        sa.PrimaryKeyConstraint("link_id", "hour", name=op.f("pk_link_view")),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=True),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('doi', 'pmid')", name=op.f("ck_publication_kind")),
        sa.CheckConstraint("source IN ('person', 'list', 'watcher')", name=op.f("ck_publication_source")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_publication_dataset_id_dataset")),
        sa.ForeignKeyConstraint(["added_by"], ["account.id"], name=op.f("fk_publication_added_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_publication_dataset_id_kind_value"), "publication", ["dataset_id", "kind", "value"], unique=True
    )


def downgrade() -> None:
    for table in ("publication", "link_view", "link"):
        op.drop_table(table)
