"""How many files and components of a dataset stand in each state, kept by triggers; elsewhere than in SQLite two views
count them. When the files of a dataset were read last is found without reading them all."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ARCHIVED = sa.text("state = 'archived'")
BAD = sa.text("state = 'archived' AND fixity = 'bad'")
FILES = """SELECT f.dataset_id, f.state, count(*) AS number, sum(coalesce(f.size, u.size, 0)) AS bytes
FROM file f LEFT JOIN upload u ON u.id = f.upload_id GROUP BY f.dataset_id, f.state"""
COMPONENTS = """SELECT dataset_id, type, state, status, count(*) AS number
FROM component GROUP BY dataset_id, type, state, status"""


FILE_HERE = """INSERT INTO file_tally (dataset_id, state, number, bytes)
VALUES (new.dataset_id, new.state, 1,
coalesce(new.size, (SELECT size FROM upload WHERE id = new.upload_id), 0)) ON CONFLICT (dataset_id, state)
DO UPDATE SET number = number + 1, bytes = bytes + excluded.bytes;"""
FILE_GONE = """UPDATE file_tally SET number = number - 1,
bytes = bytes - coalesce(old.size, (SELECT size FROM upload WHERE id = old.upload_id), 0)
WHERE dataset_id = old.dataset_id AND state = old.state;"""
COMPONENT_HERE = """INSERT INTO component_tally (dataset_id, type, state, status, number)
VALUES (new.dataset_id, new.type, new.state, new.status, 1) ON CONFLICT (dataset_id, type, state, status)
DO UPDATE SET number = number + 1;"""
COMPONENT_GONE = """UPDATE component_tally SET number = number - 1
WHERE dataset_id = old.dataset_id AND type = old.type AND state = old.state AND status = old.status;"""
SIZED = """UPDATE file_tally SET bytes = bytes + new.size - old.size WHERE (dataset_id, state) IN
(SELECT dataset_id, state FROM file WHERE upload_id = new.id AND size IS NULL);"""
FORGOTTEN = """DELETE FROM file_tally WHERE dataset_id = old.id;
DELETE FROM component_tally WHERE dataset_id = old.id;"""


def _changed(*columns: str) -> str:
    return " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns)


FILE_COLUMNS = ("dataset_id", "state", "size", "upload_id")
COMPONENT_COLUMNS = ("dataset_id", "type", "state", "status")
TRIGGERS = {
    "file_tally_insert": f"INSERT ON file BEGIN {FILE_HERE}",
    "file_tally_delete": f"DELETE ON file BEGIN {FILE_GONE}",
    "file_tally_update": f"UPDATE OF {', '.join(FILE_COLUMNS)} ON file WHEN {_changed(*FILE_COLUMNS)} "
    f"BEGIN {FILE_GONE} {FILE_HERE}",
    "file_tally_sized": f"UPDATE OF size ON upload WHEN {_changed('size')} BEGIN {SIZED}",
    "component_tally_insert": f"INSERT ON component BEGIN {COMPONENT_HERE}",
    "component_tally_delete": f"DELETE ON component BEGIN {COMPONENT_GONE}",
    "component_tally_update": f"UPDATE OF {', '.join(COMPONENT_COLUMNS)} ON component "
    f"WHEN {_changed(*COMPONENT_COLUMNS)} BEGIN {COMPONENT_GONE} {COMPONENT_HERE}",
    "tally_forgotten": f"DELETE ON dataset BEGIN {FORGOTTEN}",
}


def upgrade() -> None:
    op.create_index(
        "ix_file_read", "file", ["dataset_id", "fixity_at"], sqlite_where=ARCHIVED, postgresql_where=ARCHIVED
    )
    op.create_index("ix_file_bad", "file", ["dataset_id"], sqlite_where=BAD, postgresql_where=BAD)
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"CREATE VIEW file_tally AS {FILES}")
        op.execute(f"CREATE VIEW component_tally AS {COMPONENTS}")
        return
    op.create_table(
        "file_tally",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "state", name=op.f("pk_file_tally")),
    )
    op.create_table(
        "component_tally",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "type", "state", "status", name=op.f("pk_component_tally")),
    )
    op.execute(f"INSERT INTO file_tally (dataset_id, state, number, bytes) {FILES}")
    op.execute(f"INSERT INTO component_tally (dataset_id, type, state, status, number) {COMPONENTS}")
    for name, body in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} AFTER {body} END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.drop_table("component_tally")
        op.drop_table("file_tally")
    else:
        op.execute("DROP VIEW component_tally")
        op.execute("DROP VIEW file_tally")
    op.drop_index("ix_file_bad", table_name="file")
    op.drop_index("ix_file_read", table_name="file")
