"""The first tables, and the guard of the history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The history is only ever added to; another database than SQLite guards it by the rights of its user.
GUARD = """CREATE TRIGGER event_{verb} BEFORE {verb} ON event
BEGIN SELECT RAISE(ABORT, 'the history is only ever added to'); END"""


def upgrade() -> None:
    op.create_table(
        "center",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("quota_open", sa.Integer(), nullable=True),
        sa.Column("quota_protected", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_center")),
        sa.UniqueConstraint("name", name=op.f("uq_center_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("center_id", sa.Integer(), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("upload_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_event_actor_id_id"), "event", ["actor_id", "id"], unique=False)
    op.create_index(op.f("ix_event_center_id_id"), "event", ["center_id", "id"], unique=False)
    op.create_index(op.f("ix_event_dataset_id_id"), "event", ["dataset_id", "id"], unique=False)
    op.create_index(op.f("ix_event_upload_id_id"), "event", ["upload_id", "id"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("next_at", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name=op.f("ck_mail_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_mail_state_next_at"), "mail", ["state", "next_at"], unique=False)
    op.create_table(
        "once",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_once")),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("center_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("ftp_password_hash", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("role IN ('submitter', 'curator')", name=op.f("ck_account_role")),
        sa.CheckConstraint("state IN ('new', 'active', 'closed')", name=op.f("ck_account_state")),
        sa.ForeignKeyConstraint(["center_id"], ["center.id"], name=op.f("fk_account_center_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_account_center_id"), "account", ["center_id"], unique=False)
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("center_id", sa.Integer(), nullable=False),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("species", sa.String(), nullable=False),
        sa.Column("investigator", sa.String(), nullable=False),
        sa.Column("data_type", sa.String(), nullable=False),
        sa.Column("bioproject", sa.String(), nullable=False),
        sa.Column("filing_number", sa.String(), nullable=False),
        sa.Column("human", sa.Boolean(), nullable=False),
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("release_date", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("approved_version", sa.Integer(), nullable=True),
        sa.Column("next_n", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("pending", sa.String(), nullable=True),
        sa.Column("release_wanted_at", sa.Integer(), nullable=True),
        sa.Column("released_at", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.Integer(), nullable=True),
        sa.Column("first_submitted_at", sa.Integer(), nullable=True),
        sa.Column("bag_dirty", sa.Boolean(), nullable=False),
        sa.Column("bag_generation", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("access IN ('open', 'controlled')", name=op.f("ck_dataset_access")),
        sa.CheckConstraint("realm IN ('open', 'protected')", name=op.f("ck_dataset_realm")),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'released', 'suppressed', 'withdrawn')",
            name=op.f("ck_dataset_state"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_dataset_account_id")),
        sa.ForeignKeyConstraint(["center_id"], ["center.id"], name=op.f("fk_dataset_center_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["dataset.id"], name=op.f("fk_dataset_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("accession", name=op.f("uq_dataset_accession")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_dataset_account_id_id"), "dataset", ["account_id", "id"], unique=False)
    op.create_index(op.f("ix_dataset_center_id_id"), "dataset", ["center_id", "id"], unique=False)
    op.create_index(op.f("ix_dataset_state_release_date"), "dataset", ["state", "release_date"], unique=False)
    op.create_index(
        op.f("ix_dataset_state_access_data_type"), "dataset", ["state", "access", "data_type"], unique=False
    )
    op.create_index(op.f("ix_dataset_state_released_at_id"), "dataset", ["state", "released_at", "id"], unique=False)
    op.create_table(
        "folder",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("made_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("realm IN ('open', 'protected')", name=op.f("ck_folder_realm")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_folder_account_id")),
        sa.PrimaryKeyConstraint("account_id", "area", "realm", "path", name=op.f("pk_folder")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=True),
        sa.Column("used_at", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('session', 'api', 'verify', 'reset')", name=op.f("ck_token_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_token_account_id_kind"), "token", ["account_id", "kind"], unique=False)
    op.create_table(
        "upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("center_id", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("announced", sa.Integer(), nullable=True),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("file_type", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("inode", sa.Integer(), nullable=True),
        sa.Column("mtime_ns", sa.Integer(), nullable=True),
        sa.Column("resumed", sa.Boolean(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("bytes_done", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("heard_at", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.Integer(), nullable=True),
        sa.Column("loaded_at", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("area IN ('incoming', 'test')", name=op.f("ck_upload_area")),
        sa.CheckConstraint("realm IN ('open', 'protected')", name=op.f("ck_upload_realm")),
        sa.CheckConstraint(
            "state IN ('receiving', 'incomplete', 'received', 'checking', 'failed', 'archived', 'obsolete', 'expired')",
            name=op.f("ck_upload_state"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_upload_account_id")),
        sa.ForeignKeyConstraint(["center_id"], ["center.id"], name=op.f("fk_upload_center_id")),
        sa.ForeignKeyConstraint(["replaced_by"], ["upload.id"], name=op.f("fk_upload_replaced_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("token", name=op.f("uq_upload_token")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_upload_account_id_area_realm_name"), "upload", ["account_id", "area", "realm", "name"], unique=False
    )
    op.create_index(op.f("ix_upload_account_id_base"), "upload", ["account_id", "base"], unique=False)
    op.create_index(op.f("ix_upload_account_id_id"), "upload", ["account_id", "id"], unique=False)
    op.create_index(op.f("ix_upload_account_id_state_id"), "upload", ["account_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_upload_center_id_id"), "upload", ["center_id", "id"], unique=False)
    op.create_index(op.f("ix_upload_center_id_state_id"), "upload", ["center_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_upload_md5"), "upload", ["md5"], unique=False)
    op.create_index(op.f("ix_upload_received_at"), "upload", ["received_at"], unique=False)
    op.create_index(
        "uq_upload_incomplete_name",
        "upload",
        ["account_id", "area", "realm", "name"],
        unique=True,
        sqlite_where=sa.text("state = 'incomplete'"),
        postgresql_where=sa.text("state = 'incomplete'"),
    )
    op.create_index(
        "uq_upload_live_name",
        "upload",
        ["account_id", "area", "realm", "name"],
        unique=True,
        sqlite_where=sa.text("state IN ('received', 'checking', 'failed')"),
        postgresql_where=sa.text("state IN ('received', 'checking', 'failed')"),
    )
    op.create_table(
        "wire_fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_wire_fault_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wire_fault")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_wire_fault_account_id_at"), "wire_fault", ["account_id", "at"], unique=False)
    op.create_index(op.f("ix_wire_fault_address_at"), "wire_fault", ["address", "at"], unique=False)
    op.create_table(
        "download_day",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_download_day_dataset_id")),
        sa.PrimaryKeyConstraint("dataset_id", "day", name=op.f("pk_download_day")),
    )
    op.create_table(
        "file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("data_type", sa.String(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("declared_md5", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("upload_id", sa.Integer(), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("archive_path", sa.String(), nullable=True),
        sa.Column("archived_at", sa.Integer(), nullable=True),
        sa.Column("fixity", sa.String(), nullable=True),
        sa.Column("fixity_at", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("fixity IN ('ok', 'bad', 'unknown')", name=op.f("ck_file_fixity")),
        sa.CheckConstraint(
            "state IN ('waiting', 'received', 'checking', 'failed', 'error', 'archived', 'removed', 'replaced')",
            name=op.f("ck_file_state"),
        ),
        sa.CheckConstraint("unit IN ('samples', 'files')", name=op.f("ck_file_unit")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_file_dataset_id")),
        sa.ForeignKeyConstraint(["replaced_by"], ["file.id"], name=op.f("fk_file_replaced_by")),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_file_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_file_dataset_id_n"), "file", ["dataset_id", "n"], unique=True)
    op.create_index(op.f("ix_file_dataset_id_state_n"), "file", ["dataset_id", "state", "n"], unique=False)
    op.create_index(
        "ix_file_declared_md5",
        "file",
        ["declared_md5"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'received')"),
        postgresql_where=sa.text("state IN ('waiting', 'received')"),
    )
    op.create_index(
        "ix_file_fixity_at",
        "file",
        ["fixity_at"],
        unique=False,
        sqlite_where=sa.text("state = 'archived'"),
        postgresql_where=sa.text("state = 'archived'"),
    )
    op.create_index(
        "ix_file_waiting_base",
        "file",
        ["base"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_file_live_name",
        "file",
        ["dataset_id", "name"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('removed', 'replaced')"),
        postgresql_where=sa.text("state NOT IN ('removed', 'replaced')"),
    )
    op.create_index(
        "uq_file_upload_id",
        "file",
        ["upload_id"],
        unique=True,
        sqlite_where=sa.text("upload_id IS NOT NULL"),
        postgresql_where=sa.text("upload_id IS NOT NULL"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("upload_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.Integer(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_state")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_job_dataset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_job_upload_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_job_dataset_running",
        "job",
        ["dataset_id"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        op.f("ix_job_state_not_before_priority_id"), "job", ["state", "not_before", "priority", "id"], unique=False
    )
    op.create_index(
        "ix_job_upload_running",
        "job",
        ["upload_id"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_job_open_key",
        "job",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(GUARD.format(verb=verb))


def downgrade() -> None:
    for table in (
        "job",
        "file",
        "download_day",
        "wire_fault",
        "upload",
        "token",
        "folder",
        "dataset",
        "account",
        "throttle",
        "once",
        "mail",
        "event",
        "counter",
        "center",
    ):
        op.drop_table(table)
