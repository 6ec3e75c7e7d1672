"""Requests to invoke a law, which wait for a second person.

It only adds, so the release before runs on this schema. They have a table of their own, beside that
of the consents that wait: nothing that waits for one kind of confirmation can be confirmed as the
other.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLE = "invocation_request"


def upgrade() -> None:
    """Add the table, append-only."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("invocation_request_pk")),
    )
    op.create_index("invocation_request_household_idx", _TABLE, ["household"], unique=False)
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
    """Drop the table while nobody ever asked; what was asked for is not thrown away.

    Raises:
        RuntimeError: somebody did.
    """
    if (
        op.get_bind()
        .execute(sa.select(sa.exists(sa.select(sa.text("1")).select_from(sa.table(_TABLE)))))
        .scalar_one()
    ):
        raise RuntimeError("Laws were asked for; put a backup back to go to the release before")
    op.drop_table(_TABLE)
