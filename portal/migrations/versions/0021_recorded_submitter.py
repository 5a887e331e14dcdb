"""A record keeps the name of its submitter, whoever owns the dataset later. What is released already gets the name of
who owned it at its release, as far as the history tells it."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

RELEASED = """
    UPDATE dataset SET recorded_submitter = (SELECT name FROM account WHERE account.id = dataset.account_id)
    WHERE released_at IS NOT NULL
"""
# The first handover after the release names who owned it before.
HANDED_OVER = """
    SELECT dataset.id, event.before FROM dataset JOIN event ON event.dataset_id = dataset.id
    WHERE event.action = 'hand_over' AND event.at >= dataset.released_at ORDER BY event.id DESC
"""
BY_ADDRESS = """
    UPDATE dataset
    SET recorded_submitter = coalesce((SELECT name FROM account WHERE email = :email), recorded_submitter)
    WHERE id = :id
"""


def upgrade() -> None:
    op.add_column("dataset", sa.Column("recorded_submitter", sa.String(), nullable=True))
    op.execute(RELEASED)
    bind = op.get_bind()
    for dataset_id, before in bind.execute(sa.text(HANDED_OVER)).all():
        said = json.loads(before) if isinstance(before, str) else before or {}
        bind.execute(sa.text(BY_ADDRESS), {"id": dataset_id, "email": said.get("submitter")})


def downgrade() -> None:
    op.drop_column("dataset", "recorded_submitter")
