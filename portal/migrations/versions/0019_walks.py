"""Pages of the components of a dataset by type, state and alias, and of its files by name, from an index each."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_component_dataset_id_type_state_id"), "component", ["dataset_id", "type", "state", "id"])
    op.create_index(op.f("ix_component_dataset_id_id"), "component", ["dataset_id", "id"])
    op.create_index(op.f("ix_component_alias"), "component", ["alias"])
    op.create_index("ix_file_by_name", "file", ["dataset_id", "name", "n", "state"])


def downgrade() -> None:
    op.drop_index("ix_file_by_name", table_name="file")
    op.drop_index(op.f("ix_component_alias"), table_name="component")
    op.drop_index(op.f("ix_component_dataset_id_id"), table_name="component")
    op.drop_index(op.f("ix_component_dataset_id_type_state_id"), table_name="component")
