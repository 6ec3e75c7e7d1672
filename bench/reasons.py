"""What reasons cost: timelines of 30 rows with a reason for each category, and without any.

    python3 deploy/venv.py --dev python bench/reasons.py [--sqlite] [--rounds 30]

Two service processes on one database: the service as it is, and a control in which nothing says by
what anything is shown, neither in the decision, nor in the log, nor in the answer. A case worker
with a consent for all five programs reads from the two in turn over HTTP, so that whatever else
the machine does is shared by both. First the rows of both are compared: they must be the same but
for the reasons. Writes bench/results/reasons-….json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import main_job

from visitsync import settings
from visitsync.service import directives
from visitsync.service.context import open_context

HERE: Final = Path(__file__).parent
HOUSEHOLDS: Final = 60
ROWS: Final = 30
CATEGORIES: Final = ("attendance", "services", "notes", "identity")
"""As in the main job."""
KINDS: Final = ("service", "unreasoned")
CLIENTS: Final = 8
READS: Final = 240
"""Of each in a round."""


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true", help="embedded instead of PostgreSQL")
    parser.add_argument("--rounds", type=int, default=30)
    wanted = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(main_job.database(sqlite=wanted.sqlite))
        os.environ["VISITSYNC_DATA_DIR"] = str(folder)
        os.environ["VISITSYNC_DATABASE_URL"] = url
        secrets = asyncio.run(main_job.set_up(HOUSEHOLDS))
        main_job.ingest(folder, secrets, HOUSEHOLDS)
        households = asyncio.run(consented())
        servers = {kind: stack.enter_context(served(kind)) for kind in KINDS}
        ports = {kind: int(one.stdout.readline()) for kind, one in servers.items() if one.stdout}
        asked = [request(secrets["u01"], one) for one in households]
        figures = {
            "machine": main_job.machine(),
            "database": "SQLite" if wanted.sqlite else "PostgreSQL",
            "answers": compared(ports, asked),
            **measured(servers, ports, asked, wanted.rounds),
        }
    name = f"reasons-{'sqlite' if wanted.sqlite else 'postgresql'}.json"
    (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


async def consented() -> list[str]:
    """Households with all their records, each with a consent for all programs."""
    async with open_context(settings.load()) as context:
        found = await main_job.whole_households(context)
        for household in found:
            await directives.record(
                context,
                main_job.OPERATOR,
                directives.Draft(
                    household=household,
                    grantor="guardian",
                    effect="permit",
                    sources=tuple(f"program:{one}" for one in city.OFFICES),
                    recipients=("role:case_worker@agency:shiomi-city",),
                    purposes=("care_coordination",),
                    categories=CATEGORIES,
                    notice_version="bench",
                ),
            )
        return found


class served:  # noqa: N801 -- used like a function
    """A server process of one kind, while the block lasts."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), self._kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


def request(secret: str, household: str) -> dict[str, Any]:
    """A look at its timeline."""
    return {
        "method": "GET",
        "path": f"/api/v1/households/{household}/timeline?purpose=care_coordination",
        "headers": {"Authorization": f"Bearer {secret}"},
    }


def compared(ports: dict[str, int], asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Bytes of an answer of each; refuses to go on unless only reasons differ."""
    sizes: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for one in asked:
        with_reasons, without = (_answer(ports[kind], one, sizes[kind]) for kind in KINDS)
        reasons = [entry.pop("because") for entry in with_reasons]
        assert not any(entry.pop("because") for entry in without)
        assert with_reasons == without
        assert len(reasons) == ROWS
        assert all({why["category"] for why in each} == set(CATEGORIES) for each in reasons)
    return {
        "rows": ROWS,
        "categories, each with its reason": len(CATEGORIES),
        "bytes": {kind: round(statistics.mean(each)) for kind, each in sizes.items()},
    }


def _answer(port: int, one: dict[str, Any], sizes: list[int]) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{port}{one['path']}"
    asked = urllib.request.Request(url, headers=one["headers"])
    with urllib.request.urlopen(asked) as response:  # noqa: S310
        body = response.read()
    sizes.append(len(body))
    entries: list[dict[str, Any]] = json.loads(body)["entries"]
    return entries


def measured(
    servers: dict[str, subprocess.Popen[str]],
    ports: dict[str, int],
    asked: list[dict[str, Any]],
    rounds: int,
) -> dict[str, Any]:
    """Read from both in turn, the first one being another each round."""
    times = max(1, READS // len(asked))
    cpu: dict[str, list[float]] = {kind: [] for kind in KINDS}
    waited: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(rounds + 1):
        for kind in KINDS if turn % 2 else reversed(KINDS):
            before = main_job.cpu(servers[kind].pid)
            plan = {"port": ports[kind], "clients": CLIENTS, "requests": asked, "times": times}
            told = subprocess.run(
                [sys.executable, str(HERE / "load.py")],
                input=json.dumps(plan),
                capture_output=True,
                text=True,
                check=True,
            )
            figures = json.loads(told.stdout)
            assert set(figures["statuses"]) == {"200"}
            if turn:  # the first round warms both up
                spent = main_job.cpu(servers[kind].pid) - before
                cpu[kind].append(spent / figures["requests"])
                waited[kind].append(figures["p50_ms"])
    return {
        "rounds": rounds,
        "reads_each": times * len(asked) * rounds,
        "reads_per_core_s": {kind: round(1 / statistics.mean(cpu[kind])) for kind in KINDS},
        "p50_ms": {kind: round(statistics.median(waited[kind]), 2) for kind in KINDS},
        "cost_of_reasons": {
            "processor time, all rounds": round(
                statistics.mean(cpu[KINDS[0]]) / statistics.mean(cpu[KINDS[1]]), 3
            ),
            "processor time, median of rounds": _paired(cpu),
            "p50, median of rounds": _paired(waited),
        },
    }


def _paired(by_kind: dict[str, list[float]]) -> float:
    """The median of each round's ratio: what disturbs a round disturbs both."""
    pairs = zip(*(by_kind[kind] for kind in KINDS), strict=True)
    ratios: list[float] = [one / other for one, other in pairs]
    return round(statistics.median(ratios), 3)


if __name__ == "__main__":
    main()
