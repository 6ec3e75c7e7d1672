"""What it costs to log a look before it is answered.

    python3 deploy/venv.py --dev python bench/appending.py [--record]

In one process on the embedded database, which syncs every commit (`synchronous = FULL`): first one
entry after another, alone, beside a sync of one page to the same disk; then 64 readers who look at
households of 30 records, in turns with the log and with one that answers at once, so that both are
slowed by whatever else the machine does. Writes bench/results/appending.json where it is asked to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import uvloop

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import main_job
from stages import PURPOSE, VIEWER, set_up

from visitsync import settings
from visitsync.service import gathering, migration
from visitsync.service import timelines as looks
from visitsync.service.context import Context, open_context
from visitsync.service.entries import Draft

HERE: Final = Path(__file__).parent
READERS: Final = 64
TURNS: Final = 10
SECONDS: Final = 3.0
ALONE: Final = 2_000
AIMS: Final = {"alone, p50 ms": 1.0, "of the unlogged rate, %": 85}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(seconds)
    return {
        f"p{one}, ms": round(1000 * ordered[len(ordered) * one // 100], 3) for one in (50, 90, 99)
    }


def syncing(folder: Path) -> dict[str, float]:
    """The floor: a page of the log's file size, written and synced."""
    found = []
    descriptor = os.open(folder / "floor", os.O_RDWR | os.O_CREAT)
    try:
        for _ in range(ALONE):
            begin = time.perf_counter()
            os.pwrite(descriptor, bytes(4096), 0)
            os.fdatasync(descriptor)
            found.append(time.perf_counter() - begin)
    finally:
        os.close(descriptor)
    return percentiles(found)


async def alone(context: Context, household: str) -> dict[str, float]:
    """One entry after another."""
    gathered = await gathering.gather(context, VIEWER, [household])
    look = looks.decided(context, gathered, VIEWER, household, PURPOSE)
    found = []
    for _ in range(ALONE):
        begin = time.perf_counter()
        assert await context.log.look(look.draft, gathered.known.epochs)
        found.append(time.perf_counter() - begin)
    return percentiles(found)


async def at_once(_: Draft, __: Mapping[str, int], ___: Sequence[Draft] = ()) -> bool:
    """A log that keeps nothing; the loop gets to run, as it does where something is waited for."""
    await asyncio.sleep(0)
    return True


async def reading(context: Context, households: Sequence[str]) -> float:
    """Timelines a second by all readers together."""
    until = time.perf_counter() + SECONDS
    done = 0

    async def reader(first: int) -> None:
        nonlocal done
        place = first
        while time.perf_counter() < until:
            await looks.view(context, VIEWER, households[place % len(households)], PURPOSE)
            done += 1
            place += READERS

    begin = time.perf_counter()
    await asyncio.gather(*(reader(one) for one in range(READERS)))
    return done / (time.perf_counter() - begin)


async def in_turns(context: Context, households: Sequence[str]) -> dict[str, Any]:
    """Both rates, of turns that follow each other; the ratio is the median of each pair's."""
    log: Any = context.log
    with_log, without, ratios = [], [], []
    await reading(context, households)  # keys are unwrapped, statements prepared
    for _ in range(TURNS):
        with_log.append(await reading(context, households))
        log.look = at_once
        try:
            without.append(await reading(context, households))
        finally:
            del log.look
        ratios.append(with_log[-1] / without[-1])
    middle = TURNS // 2
    return {
        "logged, timelines/s": round(sorted(with_log)[middle]),
        "unlogged, timelines/s": round(sorted(without)[middle]),
        "of the unlogged rate, %": round(100 * sorted(ratios)[middle], 1),
        "least and most of a pair, %": [round(100 * one, 1) for one in (min(ratios), max(ratios))],
    }


async def run(folder: Path, households: int) -> dict[str, Any]:
    """Set a city up and measure."""
    known = settings.load()
    await migration.migrate(known)
    async with open_context(known) as context:
        await set_up(context, households)
        found = await main_job.found_households(context)
        return {
            "machine": main_job.machine(),
            "aims": AIMS,
            "floor: a page synced": syncing(folder),
            "an entry alone": await alone(context, found[0]),
            f"{READERS} readers": await in_turns(context, found),
        }


def main() -> None:
    """Run once, print, and keep the figures where it is asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--households", type=int, default=200)
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/results")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=HERE.parent) as folder:  # on the disk, not in memory
        os.environ["VISITSYNC_DATA_DIR"] = folder
        os.environ["VISITSYNC_DATABASE_URL"] = ""
        figures = uvloop.run(run(Path(folder), wanted.households))
    written = json.dumps(figures, indent=2, ensure_ascii=False)
    if wanted.record:
        (HERE / "results" / "appending.json").write_text(written + "\n")
    print(written)


if __name__ == "__main__":
    main()
