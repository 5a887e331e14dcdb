"""Terms, requests and grants of controlled datasets."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = "state IN ('draft', 'asked', 'asked_back', 'granted')"
STATES = "state IN ('draft', 'asked', 'asked_back', 'granted', 'denied', 'withdrawn', 'revoked', 'ended')"
AGREEMENT = """The data are used for the purpose named in the request and for nothing else.

Nobody tries to identify a person from whom the data come, or joins the data with others to that end.

The data are kept on machines of the named institution, are open there only to people who work on the named purpose, \
and are passed on to nobody.

When the access ends, every copy is deleted. Results may be kept and published; the dataset is cited by its accession.

A loss of the data, or their disclosure to others, is told to the archive within three days."""


def _requests() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("terms_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("principal_investigator", sa.String(), nullable=False),
        sa.Column("ethics", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("agreed_at", sa.Integer(), nullable=True),
        sa.Column("letter", sa.String(), nullable=True),
        sa.Column("letter_name", sa.String(), nullable=False),
        sa.Column("letter_size", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.Integer(), nullable=True),
        sa.Column("turned_at", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.Integer(), nullable=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("from_at", sa.Integer(), nullable=True),
        sa.Column("until_at", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.Column("renewal_asked_at", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_request_state")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_request_dataset_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_request_account_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_request_terms_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_request_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_request_open",
        "request",
        ["dataset_id", "account_id"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_index(op.f("ix_request_account_id_id"), "request", ["account_id", "id"])
    op.create_index(op.f("ix_request_dataset_id_id"), "request", ["dataset_id", "id"])
    op.create_index(op.f("ix_request_state_until_at"), "request", ["state", "until_at"])


def _terms() -> None:
    terms = op.create_table(
        "terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("uses", sa.JSON(), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("longest_days", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_terms_dataset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_terms_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_terms_dataset_id_version"), "terms", ["dataset_id", "version"], unique=True)
    default = sa.text("dataset_id IS NULL")
    op.create_index(
        "uq_terms_default_version", "terms", ["version"], unique=True, sqlite_where=default, postgresql_where=default
    )
    first = {
        "version": 1,
        "agreement": AGREEMENT,
        "uses": [],
        "questions": [],
        "longest_days": 365,
        "created_at": int(time.time() * 1000),
    }
    op.bulk_insert(terms, [first])


def upgrade() -> None:
    _terms()
    op.create_table(
        "decider",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_decider_dataset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_decider_account_id")),
        sa.ForeignKeyConstraint(["added_by"], ["account.id"], name=op.f("fk_decider_added_by")),
        sa.PrimaryKeyConstraint("dataset_id", "account_id", name=op.f("pk_decider")),
    )
    op.create_index(op.f("ix_decider_account_id"), "decider", ["account_id"])
    op.create_table(
        "committee",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_committee_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_committee")),
    )
    _requests()
    op.create_table(
        "request_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_request_message_request_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_request_message_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_message")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_request_message_request_id_id"), "request_message", ["request_id", "id"])
    op.create_table(
        "request_file",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_request_file_request_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_request_file_file_id")),
        sa.PrimaryKeyConstraint("request_id", "file_id", name=op.f("pk_request_file")),
    )


def downgrade() -> None:
    for table in ("request_file", "request_message", "request", "committee", "decider", "terms"):
        op.drop_table(table)
