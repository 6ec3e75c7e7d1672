"""Evidence, consents that wait for a second person, and notices.

It only adds, so the release before runs on this schema: its municipality asks for nobody else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("proposal", "evidence", "notice")


def upgrade() -> None:
    """Add the tables, append-only, and whether the municipality asks for a second person."""
    op.add_column(
        "municipality",
        sa.Column("second_person", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "proposal",
        sa.Column("directive", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("directive", name=op.f("proposal_pk")),
    )
    op.create_index("proposal_household_idx", "proposal", ["household"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("directive", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("directive", name=op.f("evidence_pk")),
    )
    op.create_index("evidence_household_idx", "evidence", ["household"], unique=False)
    op.create_table(
        "notice",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("retroactive", sa.Boolean(), nullable=False),
        sa.Column("text_ja", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("clause_ja", sa.Text(), nullable=False),
        sa.Column("clause_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("notice_pk")),
    )
    for table in _APPEND_ONLY:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "
                f"{table} FOR EACH STATEMENT EXECUTE FUNCTION visitsync_refuse()"
            )
            continue
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change} BEFORE {change.upper()} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            )
