"""The access log's head is sealed as it is written, and signed afterwards.

The release before cannot write to a log of this form: it would leave the seal as it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLE = "log_head"


def upgrade() -> None:
    """Add what stands beside the head; until now each was signed as it was written."""
    op.add_column(_TABLE, sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.add_column(
        _TABLE, sa.Column("signed", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column(_TABLE, sa.Column("unsigned_since", sa.BigInteger(), nullable=True))
    op.execute(f"UPDATE {_TABLE} SET signed = size")  # noqa: S608 -- a name of our own


def downgrade() -> None:
    """Take it away where the newest head is signed, as the release before wants it.

    Raises:
        RuntimeError: it is not.
    """
    waiting = op.get_bind().execute(
        sa.text(f"SELECT count(*) FROM {_TABLE} WHERE signed < size")  # noqa: S608 -- the same
    )
    if waiting.scalar_one():
        raise RuntimeError("The newest entries are not signed; start and stop the service first")
    for name in ("unsigned_since", "signed", "seal"):
        op.drop_column(_TABLE, name)
