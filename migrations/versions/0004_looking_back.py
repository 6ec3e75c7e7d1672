"""The log's entries by household and place: a page of who looked costs the same in a longer log."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index before the narrower one goes; nobody appends meanwhile."""
    op.create_index(
        "log_entry_household_place_idx", "log_entry", ["household", "shard", "seq"], unique=False
    )
    op.drop_index("log_entry_household_idx", table_name="log_entry")


def downgrade() -> None:
    """The index of the release before."""
    op.create_index("log_entry_household_idx", "log_entry", ["household"], unique=False)
    op.drop_index("log_entry_household_place_idx", table_name="log_entry")
