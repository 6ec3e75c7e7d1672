"""Which master keys there are, by epoch and id; a data key stands under one of them or not at all.

The release before runs on this schema: it wraps under epochs that are listed here. What is there is
taken over from the data keys, each of which begins with the id of the master key that wrapped it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from visitsync.store.clock import Now

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID_AT = slice(2, 10)
_DATA_KEY = sa.table(
    "data_key", sa.column("epoch", sa.BigInteger), sa.column("wrapped", sa.LargeBinary)
)


def upgrade() -> None:
    """Add the table with the epochs in use, and the constraint."""
    made = op.create_table(
        "master_key",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("master_key_pk")),
    )
    bind = op.get_bind()
    at = bind.execute(sa.select(Now())).scalar_one()
    epochs = bind.execute(sa.select(_DATA_KEY.c.epoch).distinct()).scalars().all()
    for epoch in epochs:
        one = sa.select(_DATA_KEY.c.wrapped).where(
            _DATA_KEY.c.epoch == epoch, _DATA_KEY.c.wrapped.is_not(None)
        )
        wrapped = bind.execute(one.limit(1)).scalar_one()
        key_id = wrapped[_ID_AT].hex()
        bind.execute(sa.insert(made), {"epoch": epoch, "key_id": key_id, "added_at": at})
    with op.batch_alter_table("data_key") as table:
        table.create_foreign_key("data_key_epoch_fk", "master_key", ["epoch"], ["epoch"])


def downgrade() -> None:
    """Drop both; the release before finds its keys by the key file alone."""
    with op.batch_alter_table("data_key") as table:
        table.drop_constraint("data_key_epoch_fk", type_="foreignkey")
    op.drop_table("master_key")
