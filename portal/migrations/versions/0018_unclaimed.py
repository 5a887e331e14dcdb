"""The uploads that no file claims and one could, kept by triggers; elsewhere than in SQLite a view finds them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FREE = "u.state IN ('received', 'failed') AND NOT EXISTS (SELECT 1 FROM file f WHERE f.upload_id = u.id)"
ROWS = f"""SELECT u.id AS upload_id, u.account_id, u.area, u.realm,
substr(u.name, 1, length(u.name) - length(u.base)) AS folder FROM upload u WHERE {FREE}"""
TAKE = "INSERT INTO unclaimed (upload_id, account_id, area, realm, folder)"
GONE = "DELETE FROM unclaimed WHERE upload_id ="
COLUMNS = ("state", "area", "realm", "name", "base")
CHANGED = " OR ".join(f"old.{column} IS NOT new.{column}" for column in COLUMNS)
TRIGGERS = {
    "unclaimed_came": "INSERT ON upload WHEN new.state IN ('received', 'failed') "
    f"BEGIN {TAKE} {ROWS} AND u.id = new.id;",
    "unclaimed_changed": f"UPDATE OF {', '.join(COLUMNS)} ON upload WHEN {CHANGED} "
    f"BEGIN {GONE} old.id; {TAKE} {ROWS} AND u.id = new.id;",
    "unclaimed_went": f"DELETE ON upload BEGIN {GONE} old.id;",
    "unclaimed_claimed": f"INSERT ON file WHEN new.upload_id IS NOT NULL BEGIN {GONE} new.upload_id;",
    "unclaimed_moved": "UPDATE OF upload_id ON file WHEN old.upload_id IS NOT new.upload_id "
    f"BEGIN {GONE} new.upload_id; {TAKE} {ROWS} AND u.id = old.upload_id;",
    "unclaimed_freed": f"DELETE ON file WHEN old.upload_id IS NOT NULL BEGIN {TAKE} {ROWS} AND u.id = old.upload_id;",
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"CREATE VIEW unclaimed AS {ROWS}")
        return
    op.create_table(
        "unclaimed",
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_unclaimed")),
    )
    op.create_index("ix_unclaimed_newest", "unclaimed", ["account_id", "area", "upload_id", "realm"])
    op.create_index("ix_unclaimed_folder", "unclaimed", ["account_id", "area", "folder", "upload_id", "realm"])
    op.execute(f"{TAKE} {ROWS}")
    for name, body in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} AFTER {body} END")


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP VIEW unclaimed")
        return
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    op.drop_table("unclaimed")
