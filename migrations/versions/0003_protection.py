"""Protection and emergency: closings, confirmations, lifts, break-glass accesses, messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=null)


def upgrade() -> None:
    """Make the tables; nothing that is there already changes."""
    op.create_table(
        "closing",
        _text("kind"),
        _text("fact"),
        _text("asked_by"),
        _number("asked_at"),
        sa.PrimaryKeyConstraint("kind", "fact", name=op.f("closing_pk")),
    )
    op.create_table(
        "confirmed",
        _text("shield"),
        _text("confirmed_by"),
        _number("confirmed_at"),
        sa.PrimaryKeyConstraint("shield", name=op.f("confirmed_pk")),
    )
    op.create_table(
        "lift",
        _text("id"),
        _text("shield"),
        _text("household"),
        _text("recipient"),
        _text("document"),
        _text("asked_by"),
        _number("asked_at"),
        _text("approved_by", null=True),
        _number("approved_at", null=True),
        _number("used_at", null=True),
        sa.PrimaryKeyConstraint("id", name=op.f("lift_pk")),
    )
    op.create_table(
        "emergency",
        _text("id"),
        _text("household"),
        _text("viewer"),
        _text("agency"),
        _text("office", null=True),
        _text("reason"),
        _text("categories"),
        _number("hours"),
        _number("asked_at"),
        _text("approved_by", null=True),
        _number("granted_at", null=True),
        _number("due_at", null=True),
        _text("outcome", null=True),
        _text("reviewed_by", null=True),
        _number("reviewed_at", null=True),
        _number("escalated_at", null=True),
        sa.PrimaryKeyConstraint("id", name=op.f("emergency_pk")),
    )
    op.create_index("emergency_viewer_idx", "emergency", ["viewer"], unique=False)
    op.create_table(
        "message",
        _text("id"),
        _text("reader"),
        _text("kind"),
        _number("at"),
        _text("about"),
        _number("read_at", null=True),
        sa.PrimaryKeyConstraint("id", name=op.f("message_pk")),
    )
    op.create_index("message_reader_idx", "message", ["reader"], unique=False)
