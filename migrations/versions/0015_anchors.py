"""What each row was when it was written, beside the log's entry that commits to it.

Rows that are there already get their anchors from the command that migrates.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLE = "log_anchor"


def upgrade() -> None:
    """Add the table, append-only."""
    op.create_table(
        _TABLE,
        sa.Column("shard", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "seq", name=op.f("log_anchor_pk")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {_TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "
            f"{_TABLE} FOR EACH STATEMENT EXECUTE FUNCTION visitsync_refuse()"
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {_TABLE}_no_{change} BEFORE {change.upper()} ON {_TABLE} "
            "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )


def downgrade() -> None:
    """Drop it; migrating again anchors what stands there then."""
    op.drop_table(_TABLE)
