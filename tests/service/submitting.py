"""A process of its own that hands visits in, to be killed while it does."""

from __future__ import annotations

import asyncio
import json
import sys

from build import a_directory, a_visit, as_office, ndjson

from visitsync.service import submissions
from visitsync.service.context import open_context
from visitsync.service.reports import Terms
from visitsync.settings import load

FAMILIES = 50


async def main() -> None:
    """Say that it begins, hand in, say what came of it."""
    plan = json.loads(sys.argv[1])
    settings = load({}, data_dir=plan["data_dir"], database_url=plan["database_url"])
    office = a_directory().office[0].id
    payload = ndjson(
        a_visit(number, case_no=f"F-{number % FAMILIES}")
        for number in range(plan["first"], plan["first"] + plan["records"])
    )
    async with open_context(settings) as context:
        print("begin", flush=True)
        report = await submissions.submit(
            context, as_office(office), office, payload, Terms(idempotency_key=plan["key"])
        )
        print(json.dumps([report.repeated, report.counts.created]), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
