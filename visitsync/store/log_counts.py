"""Counting the access log by who did what, when in the week and on what grounds; in the database.

What is counted stands in the leaves, which hold no household.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import silent
from visitsync.store.looks import Part
from visitsync.store.tables import log_entry

_HOUR: Final = 3_600_000_000
"""In stored time."""
_OF_JAPAN: Final = 9
"""Hours before UTC."""
_THURSDAY: Final = 4
"""On which 1970-01-01 fell, Sunday being 0."""
_OPENS: Final = 8
_CLOSES: Final = 20
_SUNDAY: Final = 0
_SATURDAY: Final = 6
_MEMBERS: Final = ("actor", "kind", "decision", "basis", "records")


@silent
class Count(NamedTuple):
    """How many entries are alike."""

    actor: str
    kind: str
    decision: str | None
    off_hours: bool
    """Before 8 or after 20 o'clock in Japan, or on a Saturday or Sunday."""
    none: bool
    """Whether it was about no record."""
    of_household: bool
    """Whether one household's key sealed what it was about."""
    by_consent: bool
    by_right: bool
    """Whether an office's or section's own right, or an emergency, allowed it or a part of it."""
    number: int


async def counts(connection: AsyncConnection, part: Part) -> list[Count]:
    """The entries of a part of the log, counted."""
    source, of = _read_on(connection.dialect.name)
    hours = log_entry.c.at // _HOUR + _OF_JAPAN
    hour, day = hours % 24, (hours // 24 + _THURSDAY) % 7
    off = sa.or_(hour < _OPENS, hour >= _CLOSES, day == _SATURDAY, day == _SUNDAY)
    basis = " " + sa.func.coalesce(of["basis"], "")
    right = sa.or_(*(basis.contains(f" {rule}:") for rule in ("C1", "C2", "C6")))
    columns = (
        of["actor"].label("actor"),
        of["kind"].label("kind"),
        of["decision"].label("decision"),
        _flag(off).label("off_hours"),
        _flag(sa.func.coalesce(of["records"], "") == "0").label("none"),
        _flag(log_entry.c.household.is_not(None)).label("of_household"),
        _flag(basis.contains(" C3:")).label("by_consent"),
        _flag(right).label("by_right"),
    )
    within = (
        sa.select(*columns)
        .select_from(source)
        .where(
            log_entry.c.shard == part.shard,
            log_entry.c.seq >= part.seqs.start,
            log_entry.c.seq < part.seqs.stop,
        )
        .subquery()
    )
    rows = await connection.execute(sa.select(*within.c, sa.func.count()).group_by(*within.c))
    return [Count._make((*row[:3], *map(bool, row[3:-1]), row[-1])) for row in rows]


def _read_on(database: str) -> tuple[sa.FromClause, Mapping[str, sa.ColumnElement[str]]]:
    """The log with members of its leaves as texts; each leaf is read once."""
    leaf = log_entry.c.leaf
    if database == "postgresql":
        read = (
            sa.func.json_to_record(sa.cast(leaf, JSON))
            .table_valued(*(sa.column(name, sa.Text()) for name in _MEMBERS), name="said")
            .render_derived(with_types=True)
        )
        return log_entry.join(read, sa.true()), {name: read.c[name] for name in _MEMBERS}
    # SQLite keeps what it read of a text for the next question about it.
    return log_entry, {
        name: sa.cast(sa.func.json_extract(leaf, f"$.{name}"), sa.Text()) for name in _MEMBERS
    }


def _flag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)
