"""Components, what they refer to, the files they name, and deliveries of XML."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LIVE = sa.text("status <> 'withdrawn'")


def upgrade() -> None:
    op.create_table(
        "component",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("center_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=True),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("sent", sa.LargeBinary(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("received_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('received', 'loaded', 'error')", name=op.f("ck_component_state")),
        sa.CheckConstraint(
            "type IN ('SUBMISSION', 'STUDY', 'SAMPLE', 'EXPERIMENT', 'RUN', 'ANALYSIS')", name=op.f("ck_component_type")
        ),
        sa.CheckConstraint("origin IN ('form', 'xml')", name=op.f("ck_component_origin")),
        sa.CheckConstraint("status IN ('', 'suppressed', 'withdrawn')", name=op.f("ck_component_status")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_component_dataset_id_dataset")),
        sa.ForeignKeyConstraint(["center_id"], ["center.id"], name=op.f("fk_component_center_id_center")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component")),
        sa.UniqueConstraint("accession", name=op.f("uq_component_accession")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_component_live_alias",
        "component",
        ["center_id", "type", "alias"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index(op.f("ix_component_dataset_id_type_id"), "component", ["dataset_id", "type", "id"])
    op.create_index(op.f("ix_component_dataset_id_state_id"), "component", ["dataset_id", "state", "id"])
    op.create_index(op.f("ix_component_center_id_id"), "component", ["center_id", "id"])
    op.create_index(op.f("ix_component_center_id_updated_at_id"), "component", ["center_id", "updated_at", "id"])
    op.create_table(
        "component_ref",
        sa.Column("component_id", sa.Integer(), nullable=False),
        sa.Column("ref_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["component.id"], name=op.f("fk_component_ref_component_id_component")
        ),
        sa.ForeignKeyConstraint(["ref_id"], ["component.id"], name=op.f("fk_component_ref_ref_id_component")),
        sa.PrimaryKeyConstraint("component_id", "ref_id", name=op.f("pk_component_ref")),
    )
    op.create_index(op.f("ix_component_ref_ref_id"), "component_ref", ["ref_id"])
    op.create_table(
        "component_file",
        sa.Column("component_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["component.id"], name=op.f("fk_component_file_component_id_component")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_component_file_file_id_file")),
        sa.PrimaryKeyConstraint("component_id", "file_id", name=op.f("pk_component_file")),
    )
    op.create_index(op.f("ix_component_file_file_id"), "component_file", ["file_id"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.CheckConstraint("via IN ('api', 'web', 'ftp')", name=op.f("ck_delivery_via")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_delivery_account_id_account")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_delivery_dataset_id_dataset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_delivery_account_id_id"), "delivery", ["account_id", "id"])
    op.create_index(op.f("ix_delivery_dataset_id_id"), "delivery", ["dataset_id", "id"])
    op.create_table(
        "delivery_upload",
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_delivery_upload_upload_id_upload")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_upload_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_delivery_upload")),
    )
    op.create_index(op.f("ix_delivery_upload_delivery_id"), "delivery_upload", ["delivery_id"])


def downgrade() -> None:
    for table in ("delivery_upload", "delivery", "component_file", "component_ref", "component"):
        op.drop_table(table)
