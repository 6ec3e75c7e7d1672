"""F20: the drill. A host is lost while it works; another one goes on from a backup and its tails.

``DRILL_HOUSEHOLDS`` says how many; the documents give what longer forms took.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

from build import (
    CARE,
    OPERATOR,
    WORKER,
    a_guardian,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
)
from other_host import other_host
from postgres import Cluster
from service.a_bundle import exported

from visitsync.audit import verify_bundle
from visitsync.schema.visit import Visit
from visitsync.service import access_log, timelines
from visitsync.service.backup import making, restoring, tailing
from visitsync.service.context import Context, open_context, open_database
from visitsync.service.deep import check
from visitsync.settings import Settings
from visitsync.store import changes, rows
from visitsync.store.columns import METADATA

HOUSEHOLDS = int(os.environ.get("DRILL_HOUSEHOLDS", "12"))
MOST_SECONDS = 30 * 60
AT_ONCE = 500


def a_family(number: int) -> list[Visit]:
    """Two reports about a family of its own."""
    born = (dt.date(1980, 1, 1) + dt.timedelta(days=number % 9_000)).isoformat()
    person = a_guardian(
        name=f"家族　{number}",
        birth_date=born,
        phone=f"000-{number // 10_000:04}-{number % 10_000:04}",
    )
    case = f"D-{number}"
    return [
        a_visit(
            number * 2 + one, record_id=f"drill-{number}-{one}", case_no=case, persons=(person,)
        )
        for one in (0, 1)
    ]


async def city(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    for start in range(0, HOUSEHOLDS, AT_ONCE):
        families = range(start, min(start + AT_ONCE, HOUSEHOLDS))
        await handed_in(context, [one for number in families for one in a_family(number)])
    home = await home_of(context)
    await consented(context, home)
    return home


async def hashes(settings: Settings) -> dict[str, list[bytes]]:
    """Of every row but those that a start or a restore writes itself."""
    database = open_database(settings)
    found: dict[str, list[bytes]] = {}
    async with database.reading() as connection:
        for table in METADATA.sorted_tables:
            if table.name not in {"log_head", "log_entry", "intake"}:
                found[str(table.name)] = [
                    changes.anchor(table, row).hashed or b""
                    async for page in rows.pages(connection, table)
                    for row in page
                ]
    await database.close()
    return found


async def test_f20_nothing_acknowledged_is_lost_once_its_tail_was_shipped(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out, keys = tmp_path / "backup", tmp_path / "apart"
    async with open_context(settings) as context:
        home = await city(context)
        began = time.monotonic()
        await making.full(context, OPERATOR, out, keys)
        backed_up = time.monotonic() - began
        for number in range(3):
            await handed_in(context, [a_visit(number + 50, record_id=f"late-{number}")])
            await timelines.view(context, WORKER, home, CARE)
            assert await tailing.ship(context, out, keys) is not None
        kept_outside = await access_log.checkpoint(context)
        key = access_log.public_key(context)
    before = await hashes(settings)
    size = sum(path.stat().st_size for folder in (out, keys) for path in folder.iterdir())

    there = other_host(settings, tmp_path / "there", postgres)
    began = time.monotonic()
    made = await restoring.restore(there, OPERATOR, out, keys)
    put_back = time.monotonic() - began
    async with open_context(there) as context:
        found = await exported(context, OPERATOR)
    assert await hashes(there) == before
    verdict = verify_bundle(found, key, kept_outside)
    assert verdict.exit_code == 0
    assert "older_agrees" in verdict.codes()
    assert (await check.look(there)).troubles == 0
    assert put_back < MOST_SECONDS
    print(
        f"{HOUSEHOLDS:,} households, {made.rows:,} rows, {size:,} bytes: backed up in "
        f"{backed_up:.1f} s, put back and checked in {put_back:.1f} s"
    )
