"""What the mirrors of the access log share: a period, a place in it, looks and who took them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import fiscal_year, split_origin
from visitsync.consent import Guards, guards, read_scenario
from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct, silent
from visitsync.schema.visit import JST
from visitsync.service import entries
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, scenario
from visitsync.service.keyring import LOG, DataKeys, held
from visitsync.store import access_log, clock, data_keys, facts, looks
from visitsync.store.access_log import Row
from visitsync.store.facts import VIEWER, Fact
from visitsync.store.looks import Part, Place

LOOKS: Final = frozenset({"timeline_read", "list_read", "export", "print"})
"""Kinds of entries by which somebody saw something of a household.

A search is listed by the ``list_read`` entry of each household that it showed.
"""
SHOWN: Final = frozenset({"shown", "masked"})
"""Decisions of such entries by which something was seen."""
_LONGEST: Final = dt.timedelta(days=366)
_USUAL: Final = dt.timedelta(days=30)
_DAY: Final = dt.timedelta(days=1)
_SPAN: Final = 1_000
"""Entries of the log that are worth a statement."""
_CURSOR: Final = re.compile(r"(20[0-9]{2}(?:-[2-9])?)-([0-9]{1,15})")


class Period(Struct, frozen=True, kw_only=True):
    """Days that are looked back on, both inside; a missing one is chosen."""

    start: dt.date | None = None
    until: dt.date | None = None

    def days(self, now: int) -> tuple[dt.date, dt.date]:
        """The first and the last day; by default the last thirty.

        Raises:
            BadParameter: it ends before it begins, or is longer than a year.
        """
        until = self.until or clock.instant(now).astimezone(JST).date()
        start = self.start or until - _USUAL
        if not start <= until < start + _LONGEST:
            raise BadParameter("must be at most a year from the first day on", where="to")
        return start, until


def stored_times(days: tuple[dt.date, dt.date]) -> range:
    """The stored times from the beginning of the first day to the end of the last one, JST."""
    first, last = (dt.datetime.combine(one, dt.time.min, JST) for one in days)
    return range(clock.stored(first), clock.stored(last + _DAY))


def cursor_of(place: Place) -> str:
    """A place as a caller gives it back; it carries no rights.

    >>> cursor_of(Place("visitsync/shiomi/2026", 12))
    '2026-12'
    """
    return f"{_year(place.shard)}-{place.seq}"


def place_of(cursor: str, shards: Iterable[str]) -> Place:
    """The place that a cursor names.

    Raises:
        BadParameter: it names none.
    """
    found = _CURSOR.fullmatch(cursor)
    by_year = {_year(one): one for one in shards}
    if found is None or found[1] not in by_year:
        raise BadParameter("does not follow any page of these; begin again", where="cursor")
    return Place(by_year[found[1]], int(found[2]))


def _year(shard: str) -> str:
    return shard.rsplit("/", 1)[1]


async def years(connection: AsyncConnection) -> list[tuple[str, int]]:
    """The log's years in order, each with how many entries it has."""
    closed = [(shard, size) for shard, size, _ in await access_log.years(connection)]
    head = await access_log.head(connection)
    return [*closed, (head.shard, head.size)]


# ── finding ───────────────────────────────────────────────────────────────────────────────────────
@silent
class Found(NamedTuple):
    """Entries of a page, and where the next one begins."""

    rows: Sequence[Row]
    cursor: str | None


async def page(
    connection: AsyncConnection,
    households: Collection[str],
    times: range,
    cursor: str | None,
    most: int,
) -> Found:
    """The first entries about any of these households: of these times, from the cursor on.

    Raises:
        BadParameter: a cursor of another list.
    """
    known = await years(connection)
    since = Place("", 0)
    if cursor is not None:
        since = place_of(cursor, [shard for shard, _ in known])
    rows: list[Row] = []
    for shard, size in known:
        if shard >= since.shard and _overlaps(shard, times) and len(rows) <= most:
            start = await looks.first_at(connection, shard, size, times.start)
            stop = await looks.first_at(connection, shard, size, times.stop)
            start = max(start, since.seq if shard == since.shard else 0)
            part = Part(shard, range(start, stop))
            rows += await _first(connection, part, households, most + 1 - len(rows))
    more = None if len(rows) <= most else cursor_of(Place(rows[most].shard, rows[most].seq))
    return Found(rows[:most], more)


async def _first(
    connection: AsyncConnection, part: Part, households: Collection[str], limit: int
) -> list[Row]:
    """The first entries about these households, without finding all that there are.

    It looks at as much of the log as holds on average what one of them has, then twice as far each
    time: those of many stand close together, and of few there are few.
    """
    rows: list[Row] = []
    span = max(_SPAN, len(part.seqs) // max(1, len(households)))
    start = part.seqs.start
    while start < part.seqs.stop and len(rows) < limit:
        stop = min(start + span, part.seqs.stop)
        here = Part(part.shard, range(start, stop))
        rows += await looks.about(connection, here, households, limit - len(rows))
        start, span = stop, 2 * span
    return rows


def _overlaps(shard: str, times: range) -> bool:
    first, last = (fiscal_year(clock.instant(at)) for at in (times.start, times.stop - 1))
    return first <= split_origin(shard)[1] <= last


# ── looks ─────────────────────────────────────────────────────────────────────────────────────────
@silent
class Past(NamedTuple):
    """One look, opened."""

    at: int
    household: str
    kind: str
    viewer: str
    """The id of a member of staff; empty where it was none."""
    purpose: str
    records: tuple[str, ...]
    categories: tuple[str, ...]
    bases: tuple[tuple[str, str], ...]
    """Rule and ref of what allowed it."""


class _Leaf(Struct, frozen=True):
    kind: str
    actor: str
    decision: str = ""
    purpose: str = ""


_LEAF: Final = msgspec.json.Decoder(_Leaf)


async def opened(context: Context, connection: AsyncConnection, rows: Sequence[Row]) -> list[Past]:
    """Those of `rows` that are looks, with their private parts.

    Where a household's keys were destroyed nobody can tell any more what was seen; it is left out.

    Raises:
        Tampered: a private part was altered, or its key taken away.
    """
    seen = [(row, leaf) for row in rows if _is_look(leaf := _LEAF.decode(row.leaf))]
    wanted = {str(row.household) for row, _ in seen}
    stored = await data_keys.of_households(connection, wanted)
    destroyed = {
        one.household for one in stored if one.kind == LOG and one.state != data_keys.ACTIVE
    }
    keys = context.keyring.opened(stored)
    return [_past(context, keys, row, leaf) for row, leaf in seen if row.household not in destroyed]


def _is_look(leaf: _Leaf) -> bool:
    return leaf.kind in LOOKS and leaf.decision in SHOWN


def _past(context: Context, keys: DataKeys, row: Row, leaf: _Leaf) -> Past:
    household = str(row.household)
    told = entries.open_private(context.keyring, held(keys, (household, "", LOG)), row)
    kind, _, viewer = leaf.actor.partition(" ")[0].partition(":")
    return Past(
        at=row.at,
        household=household,
        kind=leaf.kind,
        viewer=viewer if kind == "staff" else "",
        purpose=leaf.purpose,
        records=tuple(told.get("records", ())),
        categories=tuple(told.get("categories", ())),
        bases=tuple(_basis(one) for one in told.get("reasons", ())),
    )


def _basis(written: str) -> tuple[str, str]:
    rule, _, ref = written.partition(":")
    return rule, ref


# ── who took them ─────────────────────────────────────────────────────────────────────────────────
@silent
class Looker(NamedTuple):
    """A viewer as the directory knew them when they looked; without their name."""

    agency: str
    roles: tuple[str, ...]
    offices: tuple[str, ...]


NOBODY: Final = Looker("", (), ())


class Lookers:
    """Viewers by the time of a look."""

    def __init__(self, versions: Sequence[Fact]) -> None:
        self._versions: dict[str, list[Fact]] = {}
        for one in versions:
            self._versions.setdefault(one.id, []).append(one)

    def at(self, viewer: str, at: int) -> Looker:
        """Who a viewer was at an instant."""
        then = [one for one in self._versions.get(viewer, ()) if one.recorded_at <= at]
        return _looker(then[-1]) if then else NOBODY

    def last_with_a_role(self, viewer: str, at: int) -> Looker:
        """Who a viewer was at an instant, or last before, while they still had a role."""
        then = [one for one in self._versions.get(viewer, ()) if one.recorded_at <= at]
        return next((found for one in reversed(then) if (found := _looker(one)).roles), NOBODY)


def _looker(version: Fact) -> Looker:
    body: Mapping[str, Any] = msgspec.json.decode(version.body)
    return Looker(
        str(body.get("agency", "")),
        tuple(body.get("roles", ())),
        tuple(body.get("offices", ())),
    )


async def lookers(connection: AsyncConnection, past: Iterable[Past]) -> Lookers:
    """The viewers of these looks."""
    ids = {one.viewer for one in past if one.viewer}
    return Lookers(await facts.history(connection, VIEWER, ids))


# ── what guards the households ────────────────────────────────────────────────────────────────────
async def guarded(connection: AsyncConnection, households: Iterable[str]) -> Mapping[str, Guards]:
    """The shields and blocks in force now, by household."""
    wanted = sorted(set(households))
    known = await facts.about(connection, "", wanted, ())
    gathered = Gathered(known, {}, (), {})
    return {
        one: guards(read_scenario(scenario(gathered, "nobody", "audit", one), {})) for one in wanted
    }
