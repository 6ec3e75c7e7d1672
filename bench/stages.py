"""Where the time goes: microseconds of one processor for each stage of the main job.

    python3 deploy/venv.py --dev python bench/stages.py [--households 200]

Runs in one process on the embedded database: a city is handed in, then each stage of taking a
record in and of answering a look at 30 records is timed alone, as the fastest of several rounds.
Writes bench/results/stages.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import main_job

from visitsync import settings
from visitsync.cli.installation.city import shipped
from visitsync.schema.visit import decode, encode
from visitsync.service import directory, entries, gathering, intake, migration, submissions
from visitsync.service import timelines as looks
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.directory import Wanted, office_of
from visitsync.service.folding import fold
from visitsync.service.keyring import LOG, DataKey, VisitPlace, held
from visitsync.service.reports import Records
from visitsync.service.terms import indexes
from visitsync.service.views import EVERYTHING
from visitsync.timeline import merge
from visitsync.web.answers import timeline_of
from visitsync.web.api.json_answer import answer

HERE = Path(__file__).parent
PURPOSE = "care_coordination"
VIEWER = Caller(kind="staff", id="u01", scopes=frozenset({"read"}))
ROUNDS = 7


def fastest(work: Callable[[], object], times: int = 200) -> float:
    """Microseconds of one call, in the fastest of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, (time.perf_counter() - begin) / times)
    return round(best * 1e6, 1)


async def fastest_of(work: Callable[[], Awaitable[object]], times: int = 50) -> float:
    """The same for what waits for the database."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(times):
            await work()
        best = min(best, (time.perf_counter() - begin) / times)
    return round(best * 1e6, 1)


async def set_up(context: Context, households: int) -> None:
    """The city in the database."""
    base = shipped()
    await directory.apply(
        context,
        main_job.OPERATOR,
        Wanted(
            directory=city.directory_of(base.directory, households),
            households=city.registrations_of(households),
        ),
    )
    for program, office in city.OFFICES.items():
        lines = list(city.lines(program, households, main_job.VISITS_EACH))
        for start in range(0, len(lines), main_job.RECORDS_PER_REQUEST):
            part = b"".join(lines[start : start + main_job.RECORDS_PER_REQUEST])
            caller = Caller(kind="office", id=office, scopes=frozenset({"submit"}))
            await submissions.submit(context, caller, office, Records(part))


async def taking_in(context: Context, households: int) -> dict[str, float]:
    """What a record costs on its way in, and a registration, which is folded once."""
    program, office_id = next(iter(city.OFFICES.items()))
    line = next(city.lines(program, households, 1)).strip()
    visit = decode(line)
    async with context.database.reading() as connection:
        office = await office_of(connection, office_id)
        index = await indexes(connection, context.keyring)
    assert office is not None
    keyring = context.keyring
    place = VisitPlace("h", program, "v", 1)
    key = DataKey.first(bytes(32))
    terms = fold("r", office_id, program, visit.persons).terms
    return {
        "read and check a line": fastest(lambda: decode(line)),
        "write it canonically": fastest(lambda: encode(visit)),
        "hash what it says": fastest(lambda: keyring.content(intake.content_of(line))),
        "seal it": fastest(lambda: keyring.seal_visit(key, place, line)),
        "fold a registration": fastest(
            lambda: fold("r", office_id, program, visit.persons), times=50
        ),
        "blind a registration": fastest(lambda: index.stored(terms, "r")),
    }


async def looking(context: Context) -> dict[str, float]:
    """What a look at one household costs, stage by stage."""
    (household, *_) = await main_job.found_households(context)
    gathered = await gathering.gather(context, VIEWER, [household])
    decided = gathering.decisions(gathered, VIEWER.id, PURPOSE, household)
    shown = {one.record for one in decided if one.outcome == "shown"}
    stored = [one for one in gathered.visits if one.id in shown]
    reported = [looks.reported_of(context, gathered, one) for one in stored]
    look = looks.decided(context, gathered, VIEWER, household, PURPOSE)
    view = looks.answered(look, gathered, household, PURPOSE, EVERYTHING)
    key = held(gathered.keys, (household, "", LOG))

    def draft() -> entries.Draft:
        return entries.draft(
            context.keyring,
            VIEWER,
            "timeline_read",
            key,
            household=household,
            private={"household": household, "records": sorted(map(str, shown))},
            public={"decision": "shown", "purpose": PURPOSE, "records": len(shown)},
        )

    async def eight() -> None:
        await asyncio.gather(
            *(context.log.look(look.draft, gathered.known.epochs) for _ in range(8))
        )

    return {
        "records of the household": len(gathered.visits),
        "records shown": len(shown),
        "gather facts and rows": await fastest_of(
            lambda: gathering.gather(context, VIEWER, [household])
        ),
        "decide": fastest(lambda: gathering.decisions(gathered, VIEWER.id, PURPOSE, household)),
        "open what is shown": fastest(
            lambda: [looks.reported_of(context, gathered, one) for one in stored]
        ),
        "merge": fastest(lambda: merge(reported)),
        "draft the entry": fastest(draft),
        "log it, of eight together": round(await fastest_of(eight) / 8, 1),
        "release": fastest(lambda: looks.answered(look, gathered, household, PURPOSE, EVERYTHING)),
        "write the answer": fastest(lambda: answer(timeline_of(view))),
    }


async def run(households: int) -> dict[str, Any]:
    """All stages."""
    known = settings.load()
    await migration.migrate(known)
    async with open_context(known) as context:
        await set_up(context, households)
        return {
            "machine": main_job.machine(),
            "taking in, microseconds": await taking_in(context, households),
            "looking, microseconds": await looking(context),
        }


def main() -> None:
    """Run, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--households", type=int, default=200)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISITSYNC_DATA_DIR"] = folder
        os.environ["VISITSYNC_DATABASE_URL"] = ""
        figures = uvloop.run(run(wanted.households))
    (HERE / "results" / "stages.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
