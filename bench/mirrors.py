"""What looking back costs over a long log: an office's mirror, a household's, and each new entry.

    python3 deploy/venv.py --dev python bench/mirrors.py [--sqlite] [--looks 1000000]

A year of looks is written by the log itself, its clock put forward; 20 of 2,000 households are the
small office's, all of them the large one's. A page of each mirror is timed after a tenth of the
log and after all of it: what does not scan costs the same. Then the same with the index on
households alone, in whose place came the one on households and places, and entries appended under
each in turn. Writes bench/results/mirrors-….json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import uvloop

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import main_job

from visitsync import settings
from visitsync.cli.installation.city import shipped
from visitsync.schema.visit import JST
from visitsync.service import (
    accesses,
    directives,
    directory,
    entries,
    looking_back,
    migration,
    submissions,
    timelines,
    uses,
)
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.directory import Wanted
from visitsync.service.keyring import LOG, DataKey, held
from visitsync.service.looking_back import Period
from visitsync.service.reports import Records
from visitsync.store import access_log, clock, data_keys, households, visits
from visitsync.store.tables import household

HERE: Final = Path(__file__).parent
HOUSEHOLDS: Final = 2000
FEW: Final = 20
LARGE, SMALL = city.OFFICES["household_support"], city.OFFICES["perinatal_helper"]
DAYS: Final = 365
AT_ONCE: Final = 1000
"""Entries of one transaction while the log is filled."""
VIEWER: Final = Caller(kind="staff", id="u01", scopes=frozenset({"read"}))
AUDITOR: Final = Caller(kind="staff", id="u18", scopes=frozenset({"audit"}))
CARE: Final = "care_coordination"
PAGE: Final = 100
ROUNDS: Final = 9


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true", help="embedded instead of PostgreSQL")
    parser.add_argument("--looks", type=int, default=1_000_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, main_job.database(sqlite=wanted.sqlite) as url:
        os.environ["VISITSYNC_DATA_DIR"] = folder
        os.environ["VISITSYNC_DATABASE_URL"] = url
        figures = uvloop.run(run(wanted.looks))
    name = f"mirrors-{'sqlite' if wanted.sqlite else 'postgresql'}.json"
    (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


async def run(looks: int) -> dict[str, Any]:
    """Fill, and measure on the way."""
    known = settings.load()
    await migration.migrate(known)
    async with open_context(known) as context:
        await set_up(context)
        filler = await Filler.of(context, looks)
        await filler.write_until(looks // 10)
        tenth = await measured(context, filler)
        await filler.write_until(looks)
        whole = await measured(context, filler)
        await indexed(context, INDEXES["household"])
        before = await measured(context, filler)
        return {
            "machine": main_job.machine(),
            "database": context.database.name,
            "looks": looks,
            "after a tenth, ms": tenth,
            "after all, ms": whole,
            "after all, with the index on households alone, ms": before,
            "growth": {name: round(whole[name] / tenth[name], 2) for name in whole},
            "to the index on households alone": {
                name: round(whole[name] / before[name], 2) for name in whole
            },
            "append": await appended(context, filler),
        }


async def set_up(context: Context) -> None:
    """Every office but the small one has a visit to each household; that one to a few."""
    base = shipped()
    await directory.apply(
        context,
        main_job.OPERATOR,
        Wanted(
            directory=city.directory_of(base.directory, HOUSEHOLDS),
            households=city.registrations_of(HOUSEHOLDS),
        ),
    )
    for program, office in city.OFFICES.items():
        some = itertools.islice(
            city.lines(program, HOUSEHOLDS, 1), FEW if office == SMALL else None
        )
        caller = Caller(kind="office", id=office, scopes=frozenset({"submit"}))
        while part := list(itertools.islice(some, main_job.RECORDS_PER_REQUEST)):
            await submissions.submit(context, caller, office, Records(b"".join(part)))


class Filler:
    """Writes looks at households of a city, evenly over a year."""

    def __init__(
        self, context: Context, keys: Mapping[str, DataKey], records: Mapping[str, list[str]]
    ) -> None:
        self.context = context
        self.keys = keys
        self.records = records
        self.homes = sorted(records)
        self.written = 0
        self.step = 1
        self.chance = random.Random(1)  # noqa: S311 -- the same load every time

    @classmethod
    async def of(cls, context: Context, looks: int) -> Filler:
        """For the households that there are."""
        async with context.database.reading() as connection:
            rows = await connection.execute(sa.select(household.c.id))
            homes = [str(row.id) for row in rows]
            stored = await data_keys.of_households(connection, homes)
            found = await visits.of_households(connection, homes)
        opened = context.keyring.opened(stored)
        records: dict[str, list[str]] = {one: [] for one in homes}
        for one in found:
            records[one.household].append(one.id)
        made = cls(context, {one: held(opened, (one, "", LOG)) for one in homes}, records)
        made.step = DAYS * 86_400_000_000 // looks
        return made

    def draft(self) -> entries.Draft:
        """A look at some household."""
        home = self.chance.choice(self.homes)
        seen = self.records[home]
        return entries.draft(
            self.context.keyring,
            VIEWER,
            "timeline_read",
            self.keys[home],
            household=home,
            private={
                "household": home,
                "records": seen,
                "categories": ["attendance", "services"],
                "reasons": ["C3:d0197aaaaaaaaaaaaaaaaaaaaaaaa@1"],
            },
            public={"decision": "shown", "purpose": CARE, "records": len(seen)},
        )

    async def write(self, count: int) -> None:
        """The next entries, in one transaction, at their time of the year."""
        drafts = [self.draft() for _ in range(count)]
        async with self.context.log.writing() as turn:
            head = await turn.hold()
            turn.head = head._replace(now=head.last_at + self.step * count)
            await turn.append(drafts)
        self.written += count

    async def write_until(self, count: int) -> None:
        """Until there are so many."""
        while self.written < count:
            await self.write(min(AT_ONCE, count - self.written))


async def measured(context: Context, filler: Filler) -> dict[str, float]:
    """Milliseconds of a page of each mirror, and of a look beside it."""
    if context.database.name == "postgresql":
        async with context.database.writing() as connection:
            await connection.execute(sa.text("ANALYZE"))
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        few = await visits.of_households(connection, filler.homes)
    last = clock.instant(head.last_at).astimezone(JST).date()
    home = next(one.household for one in few if one.office == SMALL)
    await directives.record(context, main_job.OPERATOR, consent(home))
    found = {"a look at a timeline, beside it": await best(partial(looked, context, home))}
    for words, days in (("a month", 30), ("a year", DAYS)):
        first = last - dt.timedelta(days=days)
        period = Period(start=first, until=last)
        for size, office in (("large", LARGE), ("small", SMALL)):
            async with context.database.reading() as connection:
                homes = await households.of_office(connection, office)
                at = (connection, homes, looking_back.stored_times((first, last)))
                name = f"{words}, {size} office"
                found[f"found: {name}"] = await best(partial(looking_back.page, *at, None, PAGE))
            found[f"uses of {name}"] = await best(partial(used, context, office, period))
        found[f"accesses of {words}"] = await best(
            partial(accesses.accesses, context, AUDITOR, home, "audit", period)
        )
    return found


async def looked(context: Context, home: str) -> None:
    """A case worker's look."""
    await timelines.view(context, VIEWER, home, CARE)


async def used(context: Context, office: str, period: Period) -> None:
    """A page of an office's mirror."""
    caller = Caller(kind="office", id=office, scopes=frozenset({"submit"}))
    await uses.uses(context, caller, office, period)


def consent(home: str) -> directives.Draft:
    """Lets the case worker see that visits happened."""
    return directives.Draft(
        household=home,
        grantor="guardian",
        effect="permit",
        sources=tuple(f"program:{one}" for one in city.SEEN_BY_CONSENT),
        recipients=("role:case_worker@agency:shiomi-city",),
        purposes=(CARE,),
        categories=("attendance", "services"),
        notice_version="bench",
    )


async def best(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of one call, in the fastest of several."""
    fastest = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        await work()
        fastest = min(fastest, time.perf_counter() - begin)
    return round(fastest * 1000, 2)


# ── appending ─────────────────────────────────────────────────────────────────────────────────────
INDEXES: Final = {
    "household": "(household)",
    "household and place": "(household, shard, seq)",
}
BATCHES: Final = {8: 150, 1000: 10}
"""How many entries together, and how often."""


async def appended(context: Context, filler: Filler) -> dict[str, Any]:
    """Microseconds for an entry under each index, in turn; the fastest of three turns.

    On PostgreSQL also what it adds to the write-ahead log, which no other process disturbs.
    """
    taken: dict[str, list[float]] = {}
    logged: dict[str, list[float]] = {}
    made: dict[str, list[float]] = {}
    for _ in range(3):
        for name, columns in INDEXES.items():
            made.setdefault(name, []).append(await indexed(context, columns))
            for together, times in BATCHES.items():
                what = f"{name}, {together} together"
                begin, at = time.perf_counter(), await written_ahead(context)
                for _ in range(times):
                    await filler.write(together)
                each = (time.perf_counter() - begin) / times / together
                taken.setdefault(what, []).append(each * 1e6)
                more = await written_ahead(context) - at
                logged.setdefault(what, []).append(more / times / together)
    return {
        "us each": {name: round(min(each), 1) for name, each in taken.items()},
        "write-ahead log, bytes each": {name: round(max(each)) for name, each in logged.items()},
        "making the index, s": {name: round(min(each), 2) for name, each in made.items()},
    }


async def written_ahead(context: Context) -> int:
    """Bytes that PostgreSQL has ever written ahead; 0 on SQLite, which does not tell."""
    if context.database.name != "postgresql":
        return 0
    asked = sa.text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
    async with context.database.reading() as connection:
        return int((await connection.execute(asked)).scalar_one())


async def indexed(context: Context, columns: str) -> float:
    """Put another index in the place of the present one; seconds of making it."""
    async with context.database.writing() as connection:
        found = await connection.run_sync(lambda one: sa.inspect(one).get_indexes("log_entry"))
        for one in found:
            await connection.execute(sa.text(f"DROP INDEX {one['name']}"))
        begin = time.perf_counter()
        await connection.execute(sa.text(f"CREATE INDEX in_turn ON log_entry {columns}"))
        return time.perf_counter() - begin


if __name__ == "__main__":
    main()
