"""The tables of keys: master, index and data keys, their rotations, and what was destroyed."""

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
    number("version", key=True),  # what is sealed anew goes under the highest
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("master_key.epoch"), nullable=False),
    text("state"),
    blob("wrapped", null=True),
    number("made_at"),
    sa.Index("data_key_epoch_idx", "epoch"),
)
index_key: Final = sa.Table(
    # The epochs of the blind index; the database refuses a term under any other, and to let one go
    # while a term is left. The keys themselves are in the key file.
    "index_key",
    METADATA,
    number("epoch", key=True),
    text("key_id"),  # a short name that says nothing of the key
    number("token_bits"),
    number("added_at"),
)
key_rotation: Final = sa.Table(
    # A rotation of data or index keys that is under way, so that it is gone on with.
    "key_rotation",
    METADATA,
    text("key", key=True),  # data or index
    text("household", null=True),  # the only one that it is about
    number("began_at"),
    text("after"),  # behind which place it goes on, as JSON
    number("ended_at", null=True),  # since when nothing more is to be sealed or hashed anew
)
tombstone: Final = sa.Table(
    # Of what there is a row, the database refuses every new or restored key; rows are only added.
    "tombstone",
    METADATA,
    text("household", key=True),
    text("what", key=True),  # records: every key but the log's; log: that one
    text("erasure"),
    number("erased_at"),
    text("entries", null=True),  # of the log's key: which entries stood under it, as a hash
)
erased_registration: Final = sa.Table(
    # Keyed hashes of the case numbers of erased households: what is handed in once more is refused.
    "erased_registration",
    METADATA,
    text("id", key=True),
    number("erased_at"),
)
erasure: Final = sa.Table(
    # One person asks, another decides, it is announced, and executed; open until `ended_at`.
    "erasure",
    METADATA,
    text("id", key=True),
    text("household"),
    text("ground"),
    text("asked_by"),
    number("asked_at"),
    text("decided_by", null=True),
    number("decided_at", null=True),
    number("due_at", null=True),  # before this it is not executed
    number("ended_at", null=True),
    text("outcome", null=True),
    text("told", null=True),  # what the certificate says, as JSON
    sa.Index("erasure_household_idx", "household"),
)
hold: Final = sa.Table(
    # While one stands nothing of the household is erased.
    "hold",
    METADATA,
    text("id", key=True),
    text("household"),
    text("placed_by"),
    number("placed_at"),
    text("lift_asked_by", null=True),
    number("lift_asked_at", null=True),
    text("lifted_by", null=True),
    number("lifted_at", null=True),
    sa.Index("hold_household_idx", "household"),
)
