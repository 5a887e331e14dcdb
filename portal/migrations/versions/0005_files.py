"""The number of a dataset's species in the NCBI Taxonomy."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset", sa.Column("taxon_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("dataset", "taxon_id")
