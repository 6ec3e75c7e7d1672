"""The tables of keys: which master keys there are, and the data keys wrapped under them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from visitsync.store.columns import METADATA, blob, number, text

master_key: Final = sa.Table(
    # The epochs under which data keys may stand; the database refuses a row under any other, and to
    # let one go while a row is left. The keys themselves are in the key file.
    "master_key",
    METADATA,
    number("epoch", key=True),
    text("key_id"),  # a short name that says nothing of the key
    number("added_at"),
)
data_key: Final = sa.Table(
    "data_key",
    METADATA,
    text("household", key=True),
    text("program", key=True),
    text("kind", key=True),
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("master_key.epoch"), nullable=False),
    text("state"),
    blob("wrapped", null=True),
    sa.Index("data_key_epoch_idx", "epoch"),
)
