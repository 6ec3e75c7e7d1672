"""What stands out in the access log, person by person, without any household.

Each person beside the median of their group: who has the same role at the same agency. A group of
fewer than five has no median, since it would say what single colleagues did. What stands out is no
reproach: a night shift looks at night. Saturdays and Sundays are days off; public holidays are not
known here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from statistics import median
from typing import Final, NamedTuple, TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct, silent
from visitsync.service import log_entries, looking_back
from visitsync.service.auditors import must_audit
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.looking_back import LOOKS, NOBODY, SHOWN, Looker, Lookers
from visitsync.service.writing import change
from visitsync.store import directory, emergencies, facts, log_counts, looks
from visitsync.store.facts import VIEWER
from visitsync.store.log_counts import Count
from visitsync.store.looks import Part

_FEWEST: Final = 5
"""People in a group that has a median."""
_LONGEST: Final = dt.timedelta(days=366)
_AT_ONCE: Final = 100_000
"""Entries that one statement counts."""
_STAFF: Final = "staff:"

Group: TypeAlias = tuple[str, tuple[str, ...]]
"""Agency and roles."""


class PersonStatistics(Struct, frozen=True, kw_only=True):
    """What one person did in the period."""

    actor: str
    """As in the log; for somebody at the host's shell who acts as staff, the operator."""
    name: str | None
    agency: str | None
    roles: tuple[str, ...]
    looks: int
    """At households, those on the list of a search too."""
    group_median: float | None
    """Of the looks of who has the same role at the same agency; null for fewer than five."""
    times_median: float | None
    off_hours: int
    """Of the looks: before 8, after 20 o'clock, on Saturdays and Sundays, in Japan."""
    outside_caseload: int
    """Of the looks: no consent for who answers for the household allowed them, but the right of an
    office or section, or an emergency."""
    searches: int
    searches_without_result: int
    refused: int
    emergencies_unreviewed: int


class LogStatistics(Struct, frozen=True, kw_only=True):
    """Everybody who did something, and who is with them in a group."""

    from_: dt.date = msgspec.field(name="from")
    until: dt.date
    """The day after the last."""
    days_off: tuple[str, ...]
    """``saturday``, ``sunday``: public holidays count as working days."""
    people: tuple[PersonStatistics, ...]


async def statistics(
    context: Context, caller: Caller, start: dt.date, until: dt.date
) -> LogStatistics:
    """What people did from `start` to `until` (first day inside, last outside), JST.

    That it was asked for is logged first.

    Raises:
        NotAllowed: the caller may not read the log.
        BadParameter: a period that is turned round or longer than a year.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    async with change(context, caller) as made:
        await must_audit(made, caller)
        if not start < until <= start + _LONGEST:
            raise BadParameter("must be at most a year after the first day", where="until")
        days = {"from": start.isoformat(), "until": until.isoformat()}
        await made.log(
            caller,
            "log_read",
            private={"asked": "statistics", **days},
            public={"decision": "shown", "purpose": "audit"},
        )
    times = looking_back.stored_times((start, until - dt.timedelta(days=1)))
    async with context.database.reading() as connection:
        people = await _counted(connection, times)
        unreviewed = Counter(
            f"{_STAFF}{one.viewer}"
            for one in await emergencies.every(connection)
            if one.granted_at is not None and one.granted_at in times and one.outcome is None
        )
        known = await _known(context, connection, people.keys() | unreviewed.keys(), times.stop)
    return LogStatistics(
        from_=start,
        until=until,
        days_off=("saturday", "sunday"),
        people=tuple(_told(people, unreviewed, known)),
    )


# ── counting ──────────────────────────────────────────────────────────────────────────────────────
async def _counted(connection: AsyncConnection, times: range) -> dict[str, list[Count]]:
    """By who acted."""
    found: dict[str, list[Count]] = defaultdict(list)
    for shard, size in await looking_back.years(connection):
        start = await looks.first_at(connection, shard, size, times.start)
        stop = await looks.first_at(connection, shard, size, times.stop)
        for first in range(start, stop, _AT_ONCE):
            part = Part(shard, range(first, min(first + _AT_ONCE, stop)))
            for one in await log_counts.counts(connection, part):
                # Whoever acts in another's place answers for it.
                found[one.actor.rpartition(" by ")[2]].append(one)
    return found


@silent
class _Known(NamedTuple):
    names: Mapping[str, str]
    people: Mapping[str, Looker]
    agencies: Mapping[str, str]


async def _known(
    context: Context, connection: AsyncConnection, actors: Collection[str], at: int
) -> _Known:
    """Everybody who acted, as they were at the end, and everybody who is here now."""
    then = Lookers(await facts.newest_at(connection, VIEWER, at))
    names = await log_entries.staff_names(context, connection)
    people = {one: then.at(one, at) for one in names}
    acted = {one.removeprefix(_STAFF) for one in actors if one.startswith(_STAFF)}
    gone = {one for one in acted if not people.get(one, NOBODY).roles}
    before = Lookers(await facts.history(connection, VIEWER, gone))
    people |= {one: before.last_with_a_role(one, at) for one in gone}
    people = {f"{_STAFF}{one}": looker for one, looker in people.items()}
    return _Known(names, people, await directory.agency_names(connection))


# ── telling ───────────────────────────────────────────────────────────────────────────────────────
def _told(
    counts: Mapping[str, list[Count]], unreviewed: Mapping[str, int], known: _Known
) -> Iterable[PersonStatistics]:
    looked = {one: _sum(found, _is_look) for one, found in counts.items()}
    groups: dict[Group, list[int]] = defaultdict(list)
    for one, looker in known.people.items():
        if looker.roles:
            groups[looker.agency, looker.roles].append(looked.get(one, 0))
    for actor in sorted(counts.keys() | unreviewed.keys()):
        if actor.startswith("office:") or actor == "visitsync":
            continue
        looker = known.people.get(actor, NOBODY)
        found = counts.get(actor, [])
        middle = _median(groups.get((looker.agency, looker.roles), ()))
        yield PersonStatistics(
            actor=actor,
            name=known.names.get(actor.removeprefix(_STAFF)) if _STAFF in actor else None,
            agency=known.agencies.get(looker.agency),
            roles=looker.roles,
            looks=looked.get(actor, 0),
            group_median=middle,
            times_median=round(looked.get(actor, 0) / middle, 2) if middle else None,
            off_hours=_sum(found, lambda one: _is_look(one) and one.off_hours),
            outside_caseload=_sum(
                found, lambda one: _is_look(one) and one.by_right and not one.by_consent
            ),
            searches=_sum(found, lambda one: one.kind == "search"),
            searches_without_result=_sum(found, lambda one: one.kind == "search" and one.none),
            refused=_sum(found, lambda one: one.kind == "denied"),
            emergencies_unreviewed=unreviewed.get(actor, 0),
        )


def _is_look(one: Count) -> bool:
    return one.of_household and one.kind in LOOKS and one.decision in SHOWN


def _sum(counts: Iterable[Count], wanted: Callable[[Count], bool]) -> int:
    return sum(one.number for one in counts if wanted(one))


def _median(looked: Collection[int]) -> float | None:
    return float(median(looked)) if len(looked) >= _FEWEST else None
