"""Heads of the log that witnesses cosigned: of each the newest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an empty table."""
    op.create_table(
        "witnessed",
        sa.Column("witness", sa.Text(), primary_key=True, nullable=False),
        sa.Column("shard", sa.Text(), primary_key=True, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Take it away; witnesses cosign again when they look again."""
    op.drop_table("witnessed")
