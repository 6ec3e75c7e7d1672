"""Rotate each kind of key under readers: what it costs them, and how fast it goes.

    python3 deploy/venv.py --dev python bench/rotating.py [--sqlite] [--households 2000] [--record]

Two service processes on one database answer readers as fast as they can: first alone, then while
another process rotates data keys, then the index key, then master keys. Told are the reads' rate
and p95 as ratios to those alone, how many failed, which must be 0, and how many rows,
registrations and keys were done in a second. With ``--record`` they are kept in
bench/results/rotating-….json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import load
import main_job

from visitsync import settings
from visitsync.service import data_rotation, index_rotation, rotation
from visitsync.service.context import Context, open_context

HERE = Path(__file__).parent
PROCESSES = 2
READERS_EACH = 3
ALONE_SECONDS = 20.0
GRACE = 3.0
"""Seconds before old keys go; no read here takes as long, and waiting costs nobody anything."""


class Reads:
    """What the readers saw: when each answer came, and what it took."""

    def __init__(self) -> None:
        self.at: list[tuple[float, float]] = []
        self.failed = 0
        self.over = False

    def between(self, start: float, end: float) -> dict[str, float]:
        """Rate and times of the answers of a while."""
        took = sorted(each for at, each in self.at if start <= at < end)
        return {
            "reads": len(took),
            "reads_per_s": round(len(took) / (end - start), 1),
            "p50_ms": round(1000 * took[len(took) // 2], 1),
            "p95_ms": round(1000 * took[len(took) * 95 // 100], 1),
        }


async def read_on(port: int, secret: str, households: list[str], reads: Reads) -> None:
    """Ask for one household after the other until it is over."""
    number = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not reads.over:
        household = households[number % len(households)]
        number += 1
        begin = time.perf_counter()
        path = f"/api/v1/households/{household}/timeline?purpose=care_coordination"
        writer.write(load.request_bytes("GET", path, {"Authorization": f"Bearer {secret}"}))
        await writer.drain()
        status, closed = await load.answer(reader)
        end = time.perf_counter()
        reads.at.append((end, end - begin))
        reads.failed += status != 200
        if closed:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def rotate(context: Context, key: str) -> int:
    """Rotate a kind of key; answers how many rows, registrations or keys were done."""
    if key == "data":
        return (await data_rotation.rotate(context, main_job.OPERATOR, grace=GRACE)).rows
    if key == "index":
        made = await index_rotation.rotate(context, main_job.OPERATOR, grace=GRACE)
        return made.registrations
    await rotation.begin(context, main_job.OPERATOR)
    return (await rotation.wrap_anew(context)).done


async def rotated(key: str) -> None:
    """In a process of its own: rotate, and print what was done."""
    async with open_context(settings.load()) as context:
        print(await rotate(context, key))


async def run(ports: list[int], secret: str) -> dict[str, Any]:
    """Read alone, then under each rotation."""
    async with open_context(settings.load()) as context:
        households = await main_job.found_households(context)
    reads = Reads()
    figures: dict[str, Any] = {}
    async with asyncio.TaskGroup() as group:
        for port in ports * READERS_EACH:
            group.create_task(read_on(port, secret, households, reads))
        await asyncio.sleep(2)  # until keys are in memory
        start = time.perf_counter()
        await asyncio.sleep(ALONE_SECONDS)
        alone = figures["alone"] = reads.between(start, time.perf_counter())
        for key in ("data", "index", "master"):
            start = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, __file__, "--rotate", key), stdout=subprocess.PIPE
            )
            out, _ = await process.communicate()
            end = time.perf_counter()
            seconds = end - start - (GRACE if key != "master" else 0)
            found = reads.between(start, end)
            figures[key] = {
                **found,
                "ratio_of_rate": round(found["reads_per_s"] / alone["reads_per_s"], 3),
                "ratio_of_p95": round(found["p95_ms"] / alone["p95_ms"], 3),
                "done": int(out),
                "seconds": round(seconds, 1),
                "done_per_s": round(int(out) / seconds),
            }
        reads.over = True
    return {**figures, "failed": reads.failed}


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/results")
    parser.add_argument("--households", type=int, default=2_000)
    parser.add_argument("--rotate", help="used by the bench itself")
    wanted = parser.parse_args()
    if wanted.rotate:
        asyncio.run(rotated(wanted.rotate))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(main_job.database(sqlite=wanted.sqlite))
        os.environ["VISITSYNC_DATA_DIR"] = str(folder)
        os.environ["VISITSYNC_DATABASE_URL"] = url
        secrets = asyncio.run(main_job.set_up(wanted.households))
        main_job.ingest(folder, secrets, wanted.households)
        servers = [
            subprocess.Popen(
                [sys.executable, str(HERE / "server.py"), "service"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        try:
            ports = [int(one.stdout.readline()) for one in servers if one.stdout is not None]
            found = asyncio.run(run(ports, secrets["u01"]))
        finally:
            for one in servers:
                one.send_signal(signal.SIGTERM)
                one.wait(30)
    engine = "sqlite" if wanted.sqlite else "postgresql"
    figures = {
        "machine": main_job.machine(),
        "database": engine,
        "households": wanted.households,
        "records": wanted.households * main_job.VISITS_EACH * len(city.OFFICES),
        **found,
    }
    if wanted.record:
        name = f"rotating-{engine}.json"
        (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
