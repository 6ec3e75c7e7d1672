"""Measure the main job in one run: handing in, and logged reads, each beside its floor.

    python3 deploy/venv.py --dev python bench/main_job.py [--sqlite] [--households 2000]

60,000 records of about 1 kB are handed in over HTTP by five offices (30 for each household, five
registrations linked on strong evidence), then a case worker who may see three of five programs
reads timelines of 30 records with 8 clients. Figures are per second and per core-second of the
service; the floors run on the same machine in the same run. Writes bench/results/main_job-….json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import postgres

from visitsync import settings
from visitsync.cli.installation.city import shipped
from visitsync.service import directives, directory, migration, tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.directory import Wanted
from visitsync.store.tables import visit

HERE = Path(__file__).parent
OPERATOR = Caller.operator("bench")
VISITS_EACH = 6
READ_HOUSEHOLDS = 200
RECORDS_PER_REQUEST = 1000


def main() -> None:
    """Run everything once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true", help="embedded instead of PostgreSQL")
    parser.add_argument("--households", type=int, default=2000)
    parser.add_argument("--reads", type=int, default=8000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(sqlite=wanted.sqlite) as url:
        os.environ["VISITSYNC_DATA_DIR"] = folder
        os.environ["VISITSYNC_DATABASE_URL"] = url
        secrets = asyncio.run(set_up(wanted.households))
        figures = {
            "machine": machine(),
            "database": "SQLite" if wanted.sqlite else "PostgreSQL",
            "ingest": ingest(Path(folder), secrets, wanted.households),
            "bytes_per_record": asyncio.run(_bytes_per_record(Path(folder))),
            "reads": _reads(secrets["u01"], asyncio.run(_households()), wanted.reads),
        }
    name = f"main_job-{'sqlite' if wanted.sqlite else 'postgresql'}.json"
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


@contextmanager
def database(*, sqlite: bool) -> Iterator[str]:
    """The address of an empty database; an empty one for the embedded."""
    if sqlite:
        yield ""
        return
    with postgres.cluster(on_disk=True) as cluster:
        if cluster is None:
            raise SystemExit(postgres.NONE_FOUND)
        yield cluster.new_database()


async def set_up(households: int) -> dict[str, str]:
    """An installation with the directory; answers the tokens' secrets by office and staff."""
    known = settings.load()
    await migration.migrate(known)
    base = shipped()
    wanted = Wanted(
        directory=city.directory_of(base.directory, households),
        households=city.registrations_of(households),
    )
    async with open_context(known) as context:
        await directory.apply(context, OPERATOR, wanted)
        secrets = {}
        for subject in (*(f"office:{one}" for one in city.OFFICES.values()), "staff:u01"):
            issued = await tokens.issue(context, OPERATOR, subject=subject, days=1)
            secrets[subject.split(":")[1]] = issued.secret
    return secrets


async def _households() -> list[str]:
    """Households with all their records, each with a consent for three of five programs."""
    async with open_context(settings.load()) as context:
        return await found_households(context)


async def whole_households(context: Context) -> list[str]:
    """Households with all their records."""
    async with context.database.reading() as connection:
        rows = await connection.execute(
            sa.select(visit.c.household)
            .group_by(visit.c.household)
            .having(sa.func.count() == VISITS_EACH * len(city.OFFICES))
            .order_by(visit.c.household)
            .limit(READ_HOUSEHOLDS)
        )
        return [str(row[0]) for row in rows]


async def found_households(context: Context) -> list[str]:
    """The same, each given a consent for three of five programs."""
    found = await whole_households(context)
    for household in found:
        await directives.record(
            context,
            OPERATOR,
            directives.Draft(
                household=household,
                grantor="guardian",
                effect="permit",
                sources=tuple(f"program:{one}" for one in city.SEEN_BY_CONSENT),
                recipients=("role:case_worker@agency:shiomi-city",),
                purposes=("care_coordination",),
                categories=("attendance", "services", "notes", "identity"),
                notice_version="bench",
            ),
        )
    return found


def ingest(folder: Path, secrets: dict[str, str], households: int) -> dict[str, Any]:
    """Hand everything in, and what it took."""
    requests = []
    for program, office in city.OFFICES.items():
        lines = list(city.lines(program, households, VISITS_EACH))
        for start in range(0, len(lines), RECORDS_PER_REQUEST):
            file = folder / f"{program}-{start}.ndjson"
            file.write_bytes(b"".join(lines[start : start + RECORDS_PER_REQUEST]))
            requests.append(
                {
                    "method": "POST",
                    "path": f"/api/v1/offices/{office}/submissions",
                    "headers": {
                        "Authorization": f"Bearer {secrets[office]}",
                        "Content-Type": "application/x-ndjson",
                    },
                    "file": str(file),
                }
            )
    records = households * VISITS_EACH * len(city.OFFICES)
    size = sum(Path(str(one["file"])).stat().st_size for one in requests)
    figures = _measure("service", requests, clients=2, times=1)
    return {
        "records": records,
        "bytes_each": round(size / records),
        "records_per_s": round(records / figures["wall_s"]),
        "records_per_core_s": round(records / figures["service_cpu_s"]),
        **figures,
    }


def _reads(secret: str, households: list[str], reads: int) -> dict[str, Any]:
    requests = [
        {
            "method": "GET",
            "path": f"/api/v1/households/{one}/timeline?purpose=care_coordination",
            "headers": {"Authorization": f"Bearer {secret}"},
        }
        for one in households
    ]
    times = max(1, reads // len(requests))
    found = {
        kind: _measure(kind, requests, clients=8, times=times)
        for kind in ("hello", "rows", "service")
    }
    for figures in found.values():
        figures["per_core_s"] = round(figures["requests"] / figures["service_cpu_s"])
    service, rows, hello = found["service"], found["rows"], found["hello"]
    return {
        **found,
        "ratio_to_rows_per_core_s": round(service["per_core_s"] / rows["per_core_s"], 3),
        "ratio_to_hello_per_core_s": round(service["per_core_s"] / hello["per_core_s"], 3),
    }


def _measure(
    kind: str, requests: list[dict[str, Any]], *, clients: int, times: int
) -> dict[str, Any]:
    server = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the log of its own: written, then thrown away
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        plan = {"port": port, "clients": clients, "requests": requests, "times": times}
        before = cpu(server.pid), _postgres_cpu()
        answer = subprocess.run(
            [sys.executable, str(HERE / "load.py")],
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=True,
        )
        figures: dict[str, Any] = json.loads(answer.stdout)
        figures["service_cpu_s"] = round(cpu(server.pid) - before[0], 2)
        figures["postgresql_cpu_s"] = round(_postgres_cpu() - before[1], 2)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return figures


def cpu(pid: int) -> float:
    """Seconds of processor time a process and its waited-for children have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _postgres_cpu() -> float:
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if "(postgres)" in stat.read_text():
                total += cpu(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


async def _bytes_per_record(folder: Path) -> int:
    async with (
        open_context(settings.load()) as context,
        context.database.reading() as connection,
    ):
        counted = await connection.execute(sa.select(sa.func.count()).select_from(visit))
        if context.database.name == "sqlite":
            size = sum(one.stat().st_size for one in folder.glob("visitsync.db*"))
        else:
            question = sa.select(sa.func.pg_database_size(sa.func.currentdatabase()))
            size = (await connection.execute(question)).scalar_one()
    return round(size / counted.scalar_one())


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "day": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
