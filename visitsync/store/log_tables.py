"""The tables of the access log: insert and select only, but for its head and cosigned heads."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from visitsync.store.columns import METADATA, blob, number, one_row, text

log_head: Final = sa.Table(
    "log_head",
    METADATA,
    one_row(),
    text("shard"),
    number("size"),
    blob("frontier"),
    blob("seal", null=True),  # keyed, so that nobody moves the head in the database alone
    text("note"),  # the newest signed checkpoint, or empty
    number("signed"),  # how many entries it covers
    number("unsigned_since", null=True),  # from when on an entry waits for the signer
    number("last_at"),
)
log_entry: Final = sa.Table(
    "log_entry",
    METADATA,
    text("shard", key=True),
    number("seq", key=True),
    number("at"),
    text("leaf"),
    text("household", null=True),  # whose key sealed the private part
    blob("private", null=True),
    number("key_version"),
    sa.Index("log_entry_household_place_idx", "household", "shard", "seq"),
)
log_year: Final = sa.Table(
    # The last checkpoint of a closed year.
    "log_year",
    METADATA,
    text("shard", key=True),
    number("size"),
    text("note"),
)
witnessed: Final = sa.Table(
    # The newest head of a year that a witness cosigned.
    "witnessed",
    METADATA,
    text("witness", key=True),  # office:ID or staff:ID
    text("shard", key=True),
    number("size"),
    text("note"),
    number("at"),
)
log_anchor: Final = sa.Table(
    # What the rows that an entry changed were when its transaction ended; the entry commits to it.
    "log_anchor",
    METADATA,
    text("shard", key=True),
    number("seq", key=True),
    blob("body"),
)
