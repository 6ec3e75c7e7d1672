"""Withdraw consents while many read: no answer may rest on a consent that was withdrawn before.

    python3 deploy/venv.py --dev python bench/withdrawals.py [--sqlite] [--reads 100000] [--control]

Two service processes on one database answer readers as fast as they can. A third process withdraws
the consents of households, four at a time, waits, and records them anew. Counted are answers to
questions that began after a withdrawal was acknowledged, and entries of the access log that stand
after the withdrawal of the consent that they rest on; both must be 0. With ``--control`` the
services log without looking at the epochs again, and then there must be some. With
``--record`` they are kept in bench/results/withdrawals-….json.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import load
import main_job

from visitsync import settings
from visitsync.audit import verify_bundle
from visitsync.service import access_log, directives
from visitsync.service.context import Context, open_context
from visitsync.service.directives import Draft

HERE = Path(__file__).parent
HOUSEHOLDS = 40
READERS_EACH = 6
WITHDRAWERS = 4
"""At a time; each waits until no answer from before can still be on its way."""
PROCESSES = 2
NOT_SEEN = 404


@dataclass
class Consents:
    """Which household's consent stands, for the readers to compare with."""

    ids: dict[str, str] = field(default_factory=dict)
    withdrawn: dict[str, int] = field(default_factory=dict)
    """By household whose consent is withdrawn now: which withdrawal that was."""
    acknowledged: list[float] = field(default_factory=list)
    """Seconds that each withdrawal took."""


@dataclass
class Reads:
    """What the readers saw."""

    wanted: int
    count: int = 0
    shown: int = 0
    too_late: int = 0
    """Answers shown to questions that began after the withdrawal was acknowledged."""
    failed: int = 0

    @property
    def enough(self) -> bool:
        """Whether all that were wanted are done."""
        return self.count >= self.wanted


def draft(household: str) -> Draft:
    """The consent of a household."""
    return Draft(
        household=household,
        grantor="guardian",
        effect="permit",
        sources=tuple(f"program:{one}" for one in city.SEEN_BY_CONSENT),
        recipients=("role:case_worker@agency:shiomi-city",),
        purposes=("care_coordination",),
        categories=("attendance", "services"),
        notice_version="bench",
    )


async def read_on(port: int, secret: str, consents: Consents, reads: Reads) -> None:
    """Ask for one household after the other until enough was asked."""
    households = list(consents.ids)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not reads.enough:
        household = random.choice(households)  # noqa: S311 -- any order will do
        before = consents.withdrawn.get(household)
        path = f"/api/v1/households/{household}/timeline?purpose=care_coordination"
        writer.write(load.request_bytes("GET", path, {"Authorization": f"Bearer {secret}"}))
        await writer.drain()
        status, closed = await load.answer(reader)
        reads.count += 1
        reads.shown += status == 200
        reads.failed += status not in {200, NOT_SEEN}
        still = before is not None and consents.withdrawn.get(household) == before
        reads.too_late += status == 200 and still
        if closed:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def withdraw_on(
    context: Context, consents: Consents, reads: Reads, households: list[str]
) -> None:
    """Withdraw and record anew, one household after the other."""
    number = 0
    while not reads.enough:
        household = households[number % len(households)]
        number += 1
        begin = time.perf_counter()
        await directives.withdraw(context, main_job.OPERATOR, consents.ids[household])
        consents.acknowledged.append(time.perf_counter() - begin)
        consents.withdrawn[household] = number
        await asyncio.sleep(0.05)
        del consents.withdrawn[household]
        recorded = await directives.record(context, main_job.OPERATOR, draft(household))
        consents.ids[household] = recorded.id


def out_of_order(bundle: bytes) -> int:
    """Looks that stand in the log after the withdrawal of the consent that they rest on."""
    withdrawn: set[str] = set()
    found = 0
    for line in bundle.decode().splitlines():
        if not line.startswith("leaf "):
            continue
        leaf = json.loads(line.split(" ", 2)[2])
        if leaf["kind"] == "directive_withdrawn":
            withdrawn.add(leaf["basis"].partition("@")[0])
        elif leaf["kind"] == "timeline_read":
            rests_on = {one.partition(":")[2].partition("@")[0] for one in leaf["basis"].split()}
            found += not rests_on.isdisjoint(withdrawn)
    return found


async def run(ports: list[int], secret: str, reads: Reads) -> dict[str, Any]:
    """Read and withdraw at once; then look at the log."""
    consents = Consents()
    async with open_context(settings.load()) as context:
        households = (await main_job.whole_households(context))[:HOUSEHOLDS]
        for household in households:
            recorded = await directives.record(context, main_job.OPERATOR, draft(household))
            consents.ids[household] = recorded.id
        async with asyncio.TaskGroup() as group:
            for turn in range(WITHDRAWERS):
                own = households[turn::WITHDRAWERS]
                group.create_task(withdraw_on(context, consents, reads, own))
            for port in ports * READERS_EACH:
                group.create_task(read_on(port, secret, consents, reads))
        ever = (dt.date(2020, 4, 1), dt.date(2100, 4, 1))
        pieces = await access_log.export(context, main_job.OPERATOR, *ever)
        bundle = b"".join([piece async for piece in pieces])
        verdict = verify_bundle(bundle, access_log.public_key(context))
    took = sorted(consents.acknowledged)
    return {
        "reads": reads.count,
        "shown": reads.shown,
        "failed": reads.failed,
        "withdrawals": len(took),
        "acknowledged_p50_ms": round(1000 * took[len(took) // 2], 1),
        "acknowledged_p99_ms": round(1000 * took[min(len(took) - 1, len(took) * 99 // 100)], 1),
        "answers_after_acknowledgement": reads.too_late,
        "looks_logged_after_withdrawal": out_of_order(bundle),
        "log_verifies": verdict.exit_code == 0,
    }


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/results")
    parser.add_argument("--reads", type=int, default=100_000)
    parser.add_argument("--control", action="store_true", help="without looking at the epochs")
    wanted = parser.parse_args()
    kind = "unchecked" if wanted.control else "service"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(main_job.database(sqlite=wanted.sqlite))
        os.environ["VISITSYNC_DATA_DIR"] = str(folder)
        os.environ["VISITSYNC_DATABASE_URL"] = url
        secrets = asyncio.run(main_job.set_up(HOUSEHOLDS))
        main_job.ingest(folder, secrets, HOUSEHOLDS)
        servers = [
            subprocess.Popen(
                [sys.executable, str(HERE / "server.py"), kind],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        try:
            ports = [int(one.stdout.readline()) for one in servers if one.stdout is not None]
            figures = asyncio.run(run(ports, secrets["u01"], Reads(wanted.reads)))
        finally:
            for one in servers:
                one.send_signal(signal.SIGTERM)
                one.wait(30)
    engine = "sqlite" if wanted.sqlite else "postgresql"
    figures = {"machine": main_job.machine(), "database": engine, "service": kind, **figures}
    name = f"withdrawals-{engine}{'-control' if wanted.control else ''}.json"
    if wanted.record:  # a short try must not take the place of a whole run
        (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
