"""Jobs are looked up by their key: was one that failed for good tried again since?"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_job_key", "job", ["key"])


def downgrade() -> None:
    op.drop_index("ix_job_key", "job")
