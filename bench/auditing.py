"""What an auditor's search costs over a long log, beside a look at a timeline.

    python3 deploy/venv.py --dev python bench/auditing.py [--sqlite] [--looks 1000000] [--record]

The year of looks of `mirrors.py`, all by one person, with a hundred by another strewn over it.
Timed are a page about a household, a page of who looked all the time, the pages on which all that
the other one did is found, and a month of statistics: after a tenth of the log and after all of
it. What is found by an index costs the same; what is read in stretches costs a page no more, and
takes more pages. Writes bench/results/auditing-….json
where it is asked to.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import uvloop

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import main_job
import mirrors

from visitsync import settings
from visitsync.schema.visit import JST
from visitsync.service import directives, entries, log_search, log_statistics, migration
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.log_search import LogSearch
from visitsync.store import access_log, clock

HERE: Final = Path(__file__).parent
RARE: Final = Caller(kind="staff", id="u03", scopes=frozenset({"read"}))
SOME: Final = 100
"""Looks of the other one."""
YEAR_OF_LOOKS: Final = 20_000 * 365


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true", help="embedded instead of PostgreSQL")
    parser.add_argument("--looks", type=int, default=1_000_000)
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/results")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, main_job.database(sqlite=wanted.sqlite) as url:
        os.environ["VISITSYNC_DATA_DIR"] = folder
        os.environ["VISITSYNC_DATABASE_URL"] = url
        figures = uvloop.run(run(wanted.looks))
    name = f"auditing-{'sqlite' if wanted.sqlite else 'postgresql'}.json"
    if wanted.record:
        (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


async def run(looks: int) -> dict[str, Any]:
    """Fill, and measure on the way."""
    known = settings.load()
    await migration.migrate(known)
    async with open_context(known) as context:
        await mirrors.set_up(context)
        filler = await Strewn.of(context, looks)
        await filler.write_until(looks // 10)
        tenth = await measured(context, filler)
        await filler.write_until(looks)
        whole = await measured(context, filler)
        look = whole["a look at a timeline"]
        return {
            "machine": main_job.machine(),
            "database": context.database.name,
            "looks": looks,
            "after a tenth": tenth,
            "after all": whole,
            "growth": {name: round(whole[name] / tenth[name], 2) for name in whole},
            "in looks at a timeline": {name: round(whole[name] / look, 1) for name in whole},
            "all of a rare person in a year of 20,000 looks a day, s": round(
                whole["all of a rare person"] * YEAR_OF_LOOKS / looks / 1000, 1
            ),
        }


class Strewn(mirrors.Filler):
    """Looks of one person, and here and there of another."""

    drafted = 0
    every = 1

    @classmethod
    async def of(cls, context: Context, looks: int) -> Strewn:
        """For the households that there are."""
        plain = await mirrors.Filler.of(context, looks)
        made = cls(context, plain.keys, plain.records)
        made.step, made.every = plain.step, max(1, looks // SOME)
        return made

    def draft(self) -> entries.Draft:
        """A look at some household."""
        made = super().draft()
        self.drafted += 1
        if self.drafted % self.every:
            return made
        return made._replace(fields={**made.fields, "actor": entries.actor_of(RARE)})


async def measured(context: Context, filler: Strewn) -> dict[str, float]:
    """Milliseconds of each."""
    if context.database.name == "postgresql":
        async with context.database.writing() as connection:
            await connection.execute(sa.text("ANALYZE"))
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
    last = clock.instant(head.last_at).astimezone(JST).date()
    month = (last - dt.timedelta(days=30), last + dt.timedelta(days=1))
    home = filler.homes[0]
    await directives.record(context, main_job.OPERATOR, mirrors.consent(home))
    since = clock.instant(head.last_at) - dt.timedelta(days=mirrors.DAYS // 2)
    search = partial(log_search.search, context, mirrors.AUDITOR)
    usual, rare = f"staff:{mirrors.VIEWER.id}", f"staff:{RARE.id}"
    return {
        "a look at a timeline": await mirrors.best(partial(mirrors.looked, context, home)),
        "a page about a household": await mirrors.best(partial(search, LogSearch(household=home))),
        "… of one kind, from the middle of the year on": await mirrors.best(
            partial(search, LogSearch(household=home, kind="timeline_read", from_=since))
        ),
        "a page of who looked all the time": await mirrors.best(
            partial(search, LogSearch(actor=usual))
        ),
        "a page of who never looked": await mirrors.best(
            partial(search, LogSearch(actor="staff:nobody"))
        ),
        "all of a rare person": await everything(context, LogSearch(actor=rare)),
        "a month of statistics": await once(
            partial(log_statistics.statistics, context, mirrors.AUDITOR, *month)
        ),
    }


async def everything(context: Context, sought: LogSearch) -> float:
    """Milliseconds of all pages."""
    begin = time.perf_counter()
    cursor: str | None = None
    found = 0
    while True:
        page = await log_search.search(context, mirrors.AUDITOR, sought, cursor)
        found += len(page.entries)
        if (cursor := page.next) is None:
            break
    assert found >= SOME // 10 - 1
    return round((time.perf_counter() - begin) * 1000, 2)


async def once(work: Any) -> float:  # noqa: ANN401 -- a call to make
    """Milliseconds of one call."""
    begin = time.perf_counter()
    await work()
    return round((time.perf_counter() - begin) * 1000, 2)


if __name__ == "__main__":
    main()
